// A server whose document is a topic: it serves what it was told last, with an entity tag, and counts who asks.
// Threads: any.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <utility>

#include "tests/support/sink.h"

namespace courant::test {

class Origin {
 public:
  // before_answer: called with each request, and may block.
  explicit Origin(std::string content_type = "application/atom+xml", std::function<void()> before_answer = nullptr)
      : content_type_(std::move(content_type)),
        before_answer_(std::move(before_answer)),
        sink_([this](const SinkRequest& request) { return answer(request); }) {}

  std::string url(const std::string& target = "/feed") const { return sink_.url(target); }
  Sink& sink() { return sink_; }
  std::size_t fetches() const { return sink_.requests().size(); }

  // From now on: the document, a tag of its own for each.
  void serve(std::string body) {
    const std::lock_guard lock(mutex_);
    body_ = std::move(body);
    tag_ = "\"" + std::to_string(++version_) + "\"";
    instead_.reset();
  }
  // Without a tag, so that it is never known to be unchanged.
  void serve_untagged(std::string body) {
    serve(std::move(body));
    const std::lock_guard lock(mutex_);
    tag_.clear();
  }
  // In place of the document.
  void answer_instead(SinkReply reply) {
    const std::lock_guard lock(mutex_);
    instead_ = std::move(reply);
  }

 private:
  SinkReply answer(const SinkRequest& request) {
    if (before_answer_) before_answer_();
    const std::lock_guard lock(mutex_);
    if (instead_) return *instead_;
    if (!tag_.empty() && request.header("If-None-Match") == tag_) return {.status = 304, .headers = {{"ETag", tag_}}};
    SinkReply reply{.headers = {{"Content-Type", content_type_}}, .body = body_};
    if (!tag_.empty()) reply.headers.emplace_back("ETag", tag_);
    return reply;
  }

  const std::string content_type_;
  const std::function<void()> before_answer_;
  std::mutex mutex_;  // guards what follows
  int version_ = 0;
  std::string body_;
  std::string tag_;
  std::optional<SinkReply> instead_;
  Sink sink_;
};

}  // namespace courant::test
