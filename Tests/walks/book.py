"""The books of a broker's customers, computed apart from the exchange: bids by price and arrival, cash and energy.

Only bids of one instrument without fees, which always have cover, and asks that trade at once or not at all."""

from dataclasses import dataclass, field


@dataclass
class Customer:
    """A customer's account: money in 1e-8, energy in Wh."""

    account: int
    session: int
    cash: int
    energy: int = 0
    bids: dict = field(default_factory=dict)     # Open: order id -> [price, leaves, arrival].

    @property
    def reserved(self):
        return sum(price * leaves for price, leaves, _ in self.bids.values())


class Book:
    """All customers, and what traded."""

    def __init__(self, customers):
        self.customers = {customer.account: customer for customer in customers}
        self.arrivals = 0
        self.fills = []                          # (order id, price, quantity).

    def bid(self, account, order, price, quantity):
        self.arrivals += 1
        self.customers[account].bids[order] = [price, quantity, self.arrivals]

    def ask(self, limit, quantity):
        """Sells at once, to the best bids first. Returns what was sold."""
        queue = sorted((-bid[0], bid[2], order, customer) for customer in self.customers.values()
                       for order, bid in customer.bids.items() if bid[0] >= limit)
        sold = 0
        for price, _, order, customer in queue:
            part = min(quantity - sold, customer.bids[order][1])
            if part == 0:
                break
            self.fills.append((order, -price, part))
            customer.cash += price * part
            customer.energy += part
            customer.bids[order][1] -= part
            if customer.bids[order][1] == 0:
                del customer.bids[order]
            sold += part
        return sold

    def cancel(self, which):
        """Cancels the bids of the customers for which `which` is true. Returns how many."""
        count = 0
        for customer in filter(which, self.customers.values()):
            count += len(customer.bids)
            customer.bids.clear()
        return count

    def open_orders(self):
        """Open orders: id -> (account, price, leaves)."""
        return {order: (customer.account, bid[0], bid[1]) for customer in self.customers.values()
                for order, bid in customer.bids.items()}
