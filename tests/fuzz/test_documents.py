"""Documents: bytes of any kind, and those of real documents with something wrong in them."""

from __future__ import annotations

import json

from hypothesis import strategies as st

from fluxor_actors.definition import parse, to_json, to_yaml, validate
from fluxor_actors.errors import DefinitionError
from fluxor_actors.expression import Language
from fluxor_actors.process.compile import compile_plan
from tests.fuzz.support import EXAMPLES, bounded, mutated, repeatedly, some_bytes
from tests.generated.documents import document_of

_TOKENS = [
    b"name: w\n", b"pipeline:\n", b"  a: ", b"{action: 'nop:nop'}", b"tasks:", b"catch", b"finally: {}", b"dependsOn: [a]", b"goto: {task: a}", b"kind: Parallel",
    b"template: {selector: [{name: x, value: '${xs}'}], task: {b: {}}}", b"emit: {forEach: [1], task: {c: {}}}", b"await: {mode: first}", b"matrix: {a: [1, 2]}",
    b"retry: {maxRetries: 9999999999}", b"timeout: 1h30m", b"scheduleIn: PT", b"when: '${'", b"init: {a[]: 1}", b"'x[[]T](env/A)': ", b"&a ", b"*a", b"<<: *a",
    b"!!python/object:os.system ", b"!go ", b"---\n", b"...\n", b"%YAML 1.1\n", b"\t", b"\n", b" ", b"  ", b": ", b"- ", b"? ", b"| \n", b"> \n", b"#", b"{", b"}", b"[", b"]",
    b",", b'"', b"'", b"\\", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc2\x85", b"1e999", b"0x1F", b".nan", b"-.inf", b"9" * 5000, b"null", b"~", b"true", b"$import(a)",
    b"${env.HOME}", b"a/b", b"a[0]", b"a#2", b"\xe2\x80\xa8", b"policy: {mode: ask}", b"inputs: {a: {type: int}}", b"config: 1", b"labels: {a: b}", b"approval: {required: true}",
]  # fmt: skip
_ORIGINALS = [
    *EXAMPLES,
    *(json.dumps(document_of(seed)).encode() for seed in range(12)),
    *(to_yaml(parse(json.dumps(document_of(seed)))).encode() for seed in range(12, 24)),
]


def check_document(data: bytes) -> None:
    with bounded(DefinitionError):
        workflow = parse(data)
        validate(workflow)
        again = parse(to_yaml(workflow))
        assert again == workflow
        assert parse(to_json(workflow)) == workflow
        compile_plan(workflow, Language(), lambda _type, value, _name: value)


def _mutated(data: bytes) -> None:
    check_document(data)


def _any(data: bytes) -> None:
    check_document(data)


test_a_real_document_with_something_wrong, test_many_real_documents_with_something_wrong = repeatedly(
    60, mutated(_ORIGINALS, _TOKENS), _mutated
)
test_any_bytes, test_many_times_any_bytes = repeatedly(
    60, some_bytes(_TOKENS) | st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")), _any
)
