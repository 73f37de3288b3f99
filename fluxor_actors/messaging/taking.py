"""Taking a message from Redis in one step.

kombu takes an item out of its list first and notes then that a consumer has it, so that an item would be lost when a program is killed between the two. Here the server
does both at once, and what it notes is what kombu does: it restores and settles such a message as its own.
"""

from __future__ import annotations

import logging
import time
from importlib import import_module
from typing import Any

__all__ = ["take"]

_logger = logging.getLogger(__name__)

_TAKE = """
for number = 4, #KEYS do
    local raw = redis.call('LINDEX', KEYS[number], -1)
    if raw then
        local known, message = pcall(cjson.decode, raw)
        local tag, info
        if known and type(message) == 'table' and type(message.properties) == 'table' then
            tag, info = message.properties.delivery_tag, message.properties.delivery_info
        end
        if type(tag) == 'string' and type(info) == 'table' then
            local to = {info.exchange or '', info.routing_key or ''}
            redis.call('ZADD', KEYS[1], ARGV[1], tag)
            redis.call('HSET', KEYS[2], tag, '[' .. raw .. ',' .. cjson.encode(to[1]) .. ',' .. cjson.encode(to[2]) .. ']')
            redis.call('RPOP', KEYS[number])
            return {raw}
        end
        redis.call('RPOPLPUSH', KEYS[number], KEYS[3])
        return {}
    end
end
return false
"""
"""KEYS: when each was taken, what was taken, where what is no message goes, and the queue's lists by priority."""


def take(channel: Any, queue: str) -> Any:
    """The next message of a queue, unsettled; None when there is none. What is no message of kombu's at all is put into the list ``<queue>.damaged``."""
    virtual: Any = import_module("kombu.transport.virtual")
    loads: Any = import_module("kombu.utils.json").loads
    prefix = channel.global_keyprefix or ""
    lists = [channel._q_for_pri(queue, priority) for priority in channel.priority_steps]  # noqa: SLF001 - there is no other way to know
    damaged = f"{queue}.damaged"
    keys = [prefix + key for key in (channel.unacked_index_key, channel.unacked_key, damaged, *lists)]
    while True:
        with channel.conn_or_acquire() as client:
            found = client.eval(_TAKE, len(keys), *keys, time.time())
        if found is None:
            return None
        if found:
            break
        _logger.error("what was in the queue %s is no message, and was moved to the list %s", queue, damaged)
    message = channel.Message(loads(found[0]), channel=channel)
    # As kombu's own does, but for telling the server, which knows.
    virtual.QoS.append(channel.qos, message, message.delivery_tag)
    return message
