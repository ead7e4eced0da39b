"""What is known of accounts beside their use, to say whether they may go.

JetStream's holdings and the servers' own leafnode links come with the readings that
are polled anyway. All else is asked account by account, of one server each, a few in
every cycle and after its readings. Nothing here makes a server load an account.
"""

from nats_idle_exporter.monitoring.inquiry.asking import AsksServer, ask_accounts
from nats_idle_exporter.monitoring.inquiry.collector import Collector, Rhythm
from nats_idle_exporter.monitoring.inquiry.facts import Facts
from nats_idle_exporter.monitoring.inquiry.known import Moment

__all__ = ["AsksServer", "Collector", "Facts", "Moment", "Rhythm", "ask_accounts"]
