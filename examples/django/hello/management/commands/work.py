import signal
import threading
import time

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Works until it is told to stop, and says so in the log."

    def add_arguments(self, parser):
        parser.add_argument("--every", type=float, default=30, help="seconds between two rounds")

    def handle(self, *args, every, **options):
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())

        started = time.monotonic()
        rounds = 0
        self.say("worker: ready")
        while not stop.wait(every):
            rounds += 1
            self.say(f"worker: round {rounds}, up for {time.monotonic() - started:.0f} s")
        self.say("worker: asked to stop, done")

    def say(self, message):
        self.stdout.write(message)
        self.stdout.flush()
