"""The cluster of the add-on, from its config vars: KAFKA_URL, KAFKA_TRUSTED_CERT, KAFKA_CLIENT_CERT, …"""

import os
import tempfile

# Topics and consumer groups of a shared broker begin with it.
PREFIX = os.environ.get("KAFKA_PREFIX", "")


def settings():
    """What every client of kafka-python is made with."""
    directory = tempfile.mkdtemp()
    files = {}
    for name in ("TRUSTED_CERT", "CLIENT_CERT", "CLIENT_CERT_KEY"):
        files[name] = os.path.join(directory, name)
        with open(os.open(files[name], os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
            file.write(os.environ["KAFKA_" + name])
    return {"bootstrap_servers": [url.removeprefix("kafka+ssl://") for url in os.environ["KAFKA_URL"].split(",")],
            "security_protocol": "SSL", "ssl_cafile": files["TRUSTED_CERT"], "ssl_certfile": files["CLIENT_CERT"],
            "ssl_keyfile": files["CLIENT_CERT_KEY"]}
