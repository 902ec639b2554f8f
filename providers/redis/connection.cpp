#include "redis/connection.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>

#include "base/text.h"

namespace renga::redis {
namespace {

constexpr timeval limit{5, 0};

struct FreeReply {
  void operator()(void* reply) const { freeReplyObject(reply); }
};

}  // namespace

void Connection::Free::operator()(redisContext* context) const { redisFree(context); }

Result<Connection> Connection::open(const std::filesystem::path& directory, const std::string& user,
                                    const std::string& password) {
  // Through the directory's descriptor: the path may be longer than a socket's name may be.
  const os::Fd at(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!at) return fail(Kind::unavailable, "The store's server has not been started.");
  const auto path = "/proc/self/fd/" + std::to_string(at.get()) + "/redis.sock";
  Connection connection;
  connection.context_.reset(redisConnectUnixWithTimeout(path.c_str(), limit));
  if (!connection.context_) throw std::bad_alloc();
  if (connection.context_->err != 0)
    return fail(Kind::unavailable, std::string("The store's server does not answer: ") +
                                       connection.context_->errstr + ".");
  redisSetTimeout(connection.context_.get(), limit);
  if (const auto known = connection.run({"AUTH", user, password}); !known)
    return fail(Kind::unavailable, known.error().message);
  return connection;
}

Result<std::string> Connection::run(const std::vector<std::string>& command) {
  std::vector<const char*> words;
  std::vector<std::size_t> lengths;
  for (const auto& word : command) {
    words.push_back(word.data());
    lengths.push_back(word.size());
  }
  const std::unique_ptr<void, FreeReply> held(redisCommandArgv(
      context_.get(), static_cast<int>(words.size()), words.data(), lengths.data()));
  const auto* reply = static_cast<const redisReply*>(held.get());
  if (reply == nullptr)
    return fail(Kind::unavailable,
                std::string("The store's server does not answer: ") + context_->errstr + ".");
  if (reply->type == REDIS_REPLY_INTEGER) return std::to_string(reply->integer);
  const std::string text(reply->str == nullptr ? "" : reply->str, reply->str ? reply->len : 0);
  if (reply->type == REDIS_REPLY_ERROR)
    return fail(Kind::invalid, "Redis refused: " + text::printable(text) + ".");
  return text;
}

}  // namespace renga::redis
