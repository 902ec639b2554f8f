// What a Connection does with messages; what it administrates is in administration.cpp.
#include "kafka/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "kafka/owned.h"

namespace renga::kafka {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int limit_ms = 10'000;

std::unexpected<Error> no_answer(std::string_view why) {
  return fail(Kind::unavailable, fmt::format("The Kafka broker does not answer: {}.", why));
}

void quiet(const rd_kafka_t*, int, const char*, const char*) {}

// What became of the one message that a producer writes.
struct Delivery {
  bool known = false;
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  Message message;
};

void delivered(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  auto& delivery = *static_cast<Delivery*>(message->_private);
  delivery.known = true;
  delivery.error = message->err;
  delivery.message.partition = message->partition;
  delivery.message.offset = message->offset;
  delivery.message.at_ms = rd_kafka_message_timestamp(message, nullptr);
}

std::optional<std::string> bytes(const void* at, std::size_t size) {
  if (at == nullptr) return std::nullopt;
  return std::string(static_cast<const char*>(at), size);
}

}  // namespace

void Connection::Free::operator()(rd_kafka_s* client) const {
  // Not waiting for brokers that do not answer.
  rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

Result<Connection> Connection::open(const std::string& address, const Identity& identity,
                                    Purpose purpose, milliseconds limit) {
  auto conf = own(rd_kafka_conf_new());
  rd_kafka_conf_set_log_cb(conf.get(), quiet);
  rd_kafka_conf_set_dr_msg_cb(conf.get(), delivered);
  std::map<std::string, std::string> options{
      {"bootstrap.servers", address},
      {"client.id", "renga"},
      {"security.protocol", "ssl"},
      {"ssl.ca.pem", identity.authority},
      {"ssl.certificate.pem", identity.certificate},
      {"ssl.key.pem", identity.key},
      // The CA signs this one broker's certificate and no other's.
      {"ssl.endpoint.identification.algorithm", "none"},
      {"socket.timeout.ms", std::to_string(limit_ms)},
      {"reconnect.backoff.ms", "50"},
      {"reconnect.backoff.max.ms", "200"},
      {"message.timeout.ms", std::to_string(limit_ms)},
      {"linger.ms", "0"},
  };
  if (purpose == Purpose::consume) {
    options.erase("message.timeout.ms");
    options.erase("linger.ms");
    options["group.id"] = "renga";
    options["enable.auto.commit"] = "false";
    options["auto.offset.reset"] = "error";
    options["enable.partition.eof"] = "true";
    options["fetch.wait.max.ms"] = "100";
    options["queued.max.messages.kbytes"] = "4096";
  }
  char why[512] = "";
  for (const auto& [name, value] : options)
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), why, sizeof why) !=
        RD_KAFKA_CONF_OK)
      return no_answer(why);
  Connection connection;
  connection.client_.reset(
      rd_kafka_new(purpose == Purpose::consume ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf.get(),
                   why, sizeof why));
  if (!connection.client_) return no_answer(why);
  (void)conf.release();  // the client's now
  const struct rd_kafka_metadata* raw = nullptr;
  const auto error = rd_kafka_metadata(connection.client_.get(), 0, nullptr, &raw,
                                       static_cast<int>(limit.count()));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return no_answer(rd_kafka_err2str(error));
  const Owned<const struct rd_kafka_metadata> metadata(raw);
  return connection;
}

Result<std::vector<TopicState>> Connection::topics(const std::string& prefix) {
  const struct rd_kafka_metadata* raw = nullptr;
  const auto error = rd_kafka_metadata(client_.get(), 1, nullptr, &raw, limit_ms);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return no_answer(rd_kafka_err2str(error));
  const Owned<const struct rd_kafka_metadata> metadata(raw);
  std::vector<TopicState> topics;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const auto& topic = metadata->topics[i];
    const std::string name = topic.topic;
    if (name.starts_with(prefix) && !name.starts_with("__"))
      topics.push_back({name, topic.partition_cnt});
  }
  std::ranges::sort(topics, {}, &TopicState::name);
  return topics;
}

Result<Watermarks> Connection::watermarks(const std::string& topic, int partition) {
  Watermarks marks;
  const auto error = rd_kafka_query_watermark_offsets(client_.get(), topic.c_str(), partition,
                                                      &marks.low, &marks.high, limit_ms);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return no_answer(rd_kafka_err2str(error));
  return marks;
}

Result<Message> Connection::write(const std::string& topic, std::optional<int> partition,
                                  const std::optional<std::string>& key, const std::string& value) {
  Delivery delivery;
  const void* key_bytes = key ? key->data() : nullptr;
  const std::size_t key_size = key ? key->size() : 0;
  const auto error = rd_kafka_producev(
      client_.get(), RD_KAFKA_V_TOPIC(topic.c_str()),
      RD_KAFKA_V_PARTITION(partition.value_or(RD_KAFKA_PARTITION_UA)),
      RD_KAFKA_V_KEY(key_bytes, key_size),
      RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE(&delivery), RD_KAFKA_V_END);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    return fail(Kind::invalid, fmt::format("Kafka refused: {}.", rd_kafka_err2str(error)));
  // librdkafka gives up by itself after message.timeout.ms, and always says so.
  while (!delivery.known) rd_kafka_poll(client_.get(), 100);
  if (delivery.error == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT) return no_answer("it took too long");
  if (delivery.error != RD_KAFKA_RESP_ERR_NO_ERROR)
    return fail(Kind::invalid, fmt::format("Kafka refused: {}.", rd_kafka_err2str(delivery.error)));
  return delivery.message;
}

Result<std::vector<Message>> Connection::read(const std::string& topic,
                                              std::map<int, std::int64_t>& positions,
                                              std::size_t most, milliseconds wait) {
  const auto wanted = own(rd_kafka_topic_partition_list_new(static_cast<int>(positions.size())));
  for (const auto& [partition, offset] : positions)
    rd_kafka_topic_partition_list_add(wanted.get(), topic.c_str(), partition)->offset = offset;
  auto error = rd_kafka_assign(client_.get(), wanted.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return no_answer(rd_kafka_err2str(error));

  std::vector<Message> messages;
  std::size_t size = 0;
  const auto begun = Steady::now();
  // Whose end has been reached. What is there already is not missed because a busy broker is slow
  // to send it; `wait` is for what is yet to come.
  std::set<int> ended;
  const auto patience = [&] {
    return ended.size() < positions.size() ? std::max(wait, milliseconds(limit_ms)) : wait;
  };
  while (size < most && Steady::now() - begun < patience()) {
    const Owned<rd_kafka_message_t> got(rd_kafka_consumer_poll(client_.get(), 100));
    if (!got) continue;
    if (got->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      ended.insert(got->partition);
      if (ended.size() == positions.size() && !messages.empty()) break;
      continue;
    }
    if (got->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
        got->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
      return fail(Kind::invalid, "There are no messages at that place of the topic.");
    if (got->err != RD_KAFKA_RESP_ERR_NO_ERROR)
      return no_answer(rd_kafka_message_errstr(got.get()));
    Message message{got->partition, got->offset, rd_kafka_message_timestamp(got.get(), nullptr),
                    bytes(got->key, got->key_len), bytes(got->payload, got->len)};
    const auto weight = 64 + got->key_len + got->len;
    if (!messages.empty() && size + weight > most) break;
    size += weight;
    positions[message.partition] = message.offset + 1;
    messages.push_back(std::move(message));
  }
  rd_kafka_assign(client_.get(), nullptr);
  if (messages.empty() && ended.size() < positions.size()) return no_answer("it took too long");
  return messages;
}

}  // namespace renga::kafka
