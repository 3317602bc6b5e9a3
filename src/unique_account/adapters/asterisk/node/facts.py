"""All facts of one user, out of the state of the node."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from unique_account.adapters.asterisk.ami.message import Message
from unique_account.adapters.asterisk.node.state import NodeState
from unique_account.adapters.asterisk.translation.results import TranslatedEvent, Untranslatable
from unique_account.adapters.asterisk.translation.translator import Translator
from unique_account.adapters.asterisk.translation.vocabulary import full_mailbox
from unique_account.core.account import LineStatus
from unique_account.core.events import CallChanged, Event, Fact, FactsReplaced, LineChanged
from unique_account.core.machine import Device
from unique_account.core.user import User


def all_facts(
    user: User, state: NodeState, translator: Translator
) -> tuple[FactsReplaced, list[Untranslatable]]:
    """All that is known of a user, in one event, and what of it is not understood.

    The translator translates for the user from now on.

    Raises:
        ValueError: An endpoint of the user is another user's.
    """
    translator.forget(user.id)
    translator.add(user)
    messages = _about(user, state) if user.media_server == translator.media_server else ()
    meanings = [meaning for message in messages for meaning in translator.translate(message)]
    events = [meaning.event for meaning in meanings if isinstance(meaning, TranslatedEvent)]
    facts = tuple(event for event in _without_older_states(events) if isinstance(event, Fact))
    problems = [meaning for meaning in meanings if isinstance(meaning, Untranslatable)]
    return FactsReplaced(translator.media_server, facts), problems


def facts_while_down(media_server: str) -> FactsReplaced:
    """What is true of a user while the node is down, so that no lamp stays lit for a call that is over."""
    return FactsReplaced(
        media_server, tuple(LineChanged(device, LineStatus.UNAVAILABLE) for device in Device)
    )


def _about(user: User, state: NodeState) -> Iterator[Message]:
    for interface in map(user.interface, Device):
        yield from state.about(interface)
    reported = None if user.mailbox is None else state.mailbox(full_mailbox(user.mailbox))
    if reported is not None:
        yield reported


def _without_older_states(events: Iterable[Event]) -> Iterator[Event]:
    """The events; of those about the same call, only the last one."""
    events = list(events)
    last = {event.call.id: event for event in events if isinstance(event, CallChanged)}
    for event in events:
        if not isinstance(event, CallChanged) or last[event.call.id] is event:
            yield event
