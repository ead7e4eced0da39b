"""Read configuration files of nats-server: their own format, with includes.

Only what the format says is judged here; what the keys mean is not known.
"""

from nats_idle_exporter.monitoring.inventory.natsconf.files import load_nats_config
from nats_idle_exporter.monitoring.inventory.natsconf.parsing import Value
from nats_idle_exporter.monitoring.inventory.natsconf.scanning import ConfError

__all__ = ["ConfError", "Value", "load_nats_config"]
