"""What every PBX must do, in five parts: projections, facts, returns, routing and commands."""

from unique_account.testing.contracts.pbx.commands import PbxCommandsContract
from unique_account.testing.contracts.pbx.facts import FactsContract
from unique_account.testing.contracts.pbx.phones import Phones
from unique_account.testing.contracts.pbx.projections import ProjectionsContract
from unique_account.testing.contracts.pbx.returns import ReturnsContract
from unique_account.testing.contracts.pbx.routing import RoutingContract


class PbxContract(ProjectionsContract, FactsContract, ReturnsContract, RoutingContract, PbxCommandsContract):
    """The contract of `unique_account.ports.pbx.Pbx`; ``open`` gives a node without plans, and its phones.

    Attributes:
        alice: A user of the node, with a DID and a mailbox, and a ring time that a test can sit out.
        bob: Another one, without a mailbox.
    """


__all__ = ["PbxContract", "Phones"]
