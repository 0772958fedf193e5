#include "tests/chaos/push_check.h"

#include "kernel/text.h"
#include "kernel/uri.h"
#include "tests/chaos/reader.h"

namespace courant::chaos {
namespace {

std::int64_t number_in(const test::SinkRequest& request, const std::string& name) {
  const auto number = parse_unsigned(request.header(name).value_or(""));
  return number ? static_cast<std::int64_t>(*number) : -1;
}

}  // namespace

PushCheck::PushCheck(int feed, std::uint32_t seed, Findings& findings, Counts& counts)
    : feed_(feed), findings_(findings), counts_(counts), random_(seed), sink_([this](const test::SinkRequest& request) {
        return answer(request);
      }) {}

bool PushCheck::is_verified() const {
  return position() >= 0;
}

std::int64_t PushCheck::position() const {
  const std::lock_guard lock(mutex_);
  return position_;
}

test::SinkReply PushCheck::verify(const test::SinkRequest& request) {
  const auto parameters = parse_query(request.target.substr(request.target.find('?') + 1));
  const std::string* const challenge = parameters ? find_parameter(*parameters, "hub.challenge") : nullptr;
  if (challenge == nullptr) return {.status = 404};
  if (position_ < 0) position_ = number_in(request, "Feed-Position");
  return {.status = 200, .body = *challenge};
}

test::SinkReply PushCheck::answer(const test::SinkRequest& request) {
  const std::lock_guard lock(mutex_);
  if (request.method == "GET") return verify(request);
  if (random_() % 10 == 0) return {.status = 500};  // it comes again
  ++counts_.pushes;
  const std::int64_t before = number_in(request, "Feed-Position-Previous");
  const std::int64_t upto = number_in(request, "Feed-Position");
  const std::string where = "a push of " + feed_path(feed_) + " from " + std::to_string(before);
  const std::optional<Page> page = read_page(request.body);
  if (!page || before < 0 || upto < before) {
    findings_.add(where + " is no document with its range");
    return {.status = 204};
  }
  if (before > position_) {
    findings_.add(where + " leaves a gap: the last one reached " + std::to_string(position_));
  }
  if (follow(*page, before, where, findings_) != upto) findings_.add(where + " does not reach " + std::to_string(upto));
  position_ = std::max(position_, upto);
  return {.status = 204};
}

}  // namespace courant::chaos
