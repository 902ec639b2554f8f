"""The store of the add-on, from REDIS_URL (rediss://:password@host:port)."""

import os

import redis


def connect():
    # The certificate is signed by the server's own authority: what is encrypted is not verified, as on Heroku.
    return redis.Redis.from_url(os.environ["REDIS_URL"], ssl_cert_reqs=None, decode_responses=True)
