"""Order processing: a service written as a class, a template over the orders, and a `catch` for those that fail."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from fluxor_actors import ActionContext, Fluxor, method

DOCUMENT = Path(__file__).with_name("orders.yaml")
ORDERS = [
    {"id": "A-1", "card": "4000", "quantity": 3, "price": 5},
    {"id": "A-2", "card": "declined", "quantity": 1, "price": 80},
    {"id": "A-3", "card": "flaky", "quantity": 2, "price": 7},
]


class CardDeclinedError(Exception):
    """The bank said no: trying again does not help."""


@frozen
class Charge:
    """What `Shop.charge` takes. The document's ``orderId`` fits ``order_id``."""

    order_id: str
    card: str
    amount: int


@frozen
class Receipt:
    """What `Shop.charge` gives."""

    order_id: str
    amount: int
    attempt: int


class Shop:
    """Charges cards."""

    name = "shop"

    @method
    def charge(self, charge: Charge, context: ActionContext) -> Receipt:
        """Charge a card. The idempotency key is the same for every attempt, so that a bank could tell a repetition."""
        if charge.card == "declined":
            raise CardDeclinedError(f"the card for {charge.amount} was declined")
        if charge.card == "flaky" and context.attempt == 1:
            raise ConnectionError("the bank did not answer")
        return Receipt(order_id=charge.order_id, amount=charge.amount, attempt=context.attempt)


def main() -> None:
    """Process the orders and say what became of them."""
    with Fluxor(services=[Shop()]) as engine:
        workflow = engine.runtime.load_workflow(str(DOCUMENT))
        result = engine.runtime.start_process(workflow, {"orders": ORDERS}).wait(timeout=60).raise_for_error()
    print(f"shipped: {result.output['shipped']}")
    print(f"refused: {result.output['refused']}")


if __name__ == "__main__":
    main()
