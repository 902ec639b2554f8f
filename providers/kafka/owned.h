// librdkafka's objects, owned. Private to the room's .cpp files.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <new>
#include <vector>

namespace renga::kafka {

struct FreeOwned {
  void operator()(rd_kafka_queue_t* it) const { rd_kafka_queue_destroy(it); }
  void operator()(rd_kafka_event_t* it) const { rd_kafka_event_destroy(it); }
  void operator()(rd_kafka_AdminOptions_t* it) const { rd_kafka_AdminOptions_destroy(it); }
  void operator()(rd_kafka_conf_t* it) const { rd_kafka_conf_destroy(it); }
  void operator()(rd_kafka_error_t* it) const { rd_kafka_error_destroy(it); }
  void operator()(rd_kafka_message_t* it) const { rd_kafka_message_destroy(it); }
  void operator()(rd_kafka_topic_partition_list_t* it) const {
    rd_kafka_topic_partition_list_destroy(it);
  }
  void operator()(rd_kafka_NewTopic_t* it) const { rd_kafka_NewTopic_destroy(it); }
  void operator()(rd_kafka_DeleteTopic_t* it) const { rd_kafka_DeleteTopic_destroy(it); }
  void operator()(rd_kafka_NewPartitions_t* it) const { rd_kafka_NewPartitions_destroy(it); }
  void operator()(rd_kafka_ConfigResource_t* it) const { rd_kafka_ConfigResource_destroy(it); }
  void operator()(rd_kafka_AclBinding_t* it) const { rd_kafka_AclBinding_destroy(it); }
  void operator()(rd_kafka_DeleteGroup_t* it) const { rd_kafka_DeleteGroup_destroy(it); }
  void operator()(rd_kafka_ListConsumerGroupOffsets_t* it) const {
    rd_kafka_ListConsumerGroupOffsets_destroy(it);
  }
  void operator()(const struct rd_kafka_metadata* it) const { rd_kafka_metadata_destroy(it); }
};
template <class T>
using Owned = std::unique_ptr<T, FreeOwned>;

template <class T>
Owned<T> own(T* made) {
  if (made == nullptr) throw std::bad_alloc();
  return Owned<T>(made);
}

// As C wants several.
template <class T>
std::vector<T*> pointers(const std::vector<Owned<T>>& all) {
  std::vector<T*> bare;
  for (const auto& one : all) bare.push_back(one.get());
  return bare;
}

}  // namespace renga::kafka
