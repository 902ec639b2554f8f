"""Counts the visits of each page. Where it has read to is the consumer group's, so that another goes on from there."""

import json
import signal
import sys
import time

from cluster import PREFIX, settings
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

# What was counted before.
counts = {}
earlier = KafkaConsumer(**settings(), auto_offset_reset="earliest")
# None are known while no broker answers: one that is started anew is away for some seconds.
while not (numbers := earlier.partitions_for_topic(PREFIX + "counts")):
    time.sleep(1)
partitions = [TopicPartition(PREFIX + "counts", number) for number in numbers]
earlier.assign(partitions)
earlier.seek_to_beginning()
ends = earlier.end_offsets(partitions)
while any(earlier.position(partition) < end for partition, end in ends.items()):
    for messages in earlier.poll(1000).values():
        for message in messages:
            counts[message.key] = json.loads(message.value)
earlier.close()

producer = KafkaProducer(**settings(), acks="all")
visits = KafkaConsumer(PREFIX + "visits", group_id=PREFIX + "counters", enable_auto_commit=False,
                       auto_offset_reset="earliest", **settings())
for visit in visits:
    counts[visit.key] = counts.get(visit.key, 0) + 1
    # The count is written before the place is: what a crash repeats is counted twice, and never lost.
    producer.send(PREFIX + "counts", key=visit.key, value=json.dumps(counts[visit.key]).encode()).get(timeout=120)
    visits.commit()
    print(f"counted {visit.key.decode()}", flush=True)
