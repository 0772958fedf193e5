#include "tests/chaos/bad_callbacks.h"

#include <algorithm>

#include "kernel/text.h"

namespace courant::chaos {
namespace {

constexpr int kHosts = 50;
constexpr int kFailing = 30;  // of a hundred deliveries, while they fail

std::int64_t number_in(std::string_view head, std::string_view field) {
  const std::size_t at = head.find(field);
  if (at == std::string_view::npos) return -1;
  const std::string_view rest = head.substr(at + field.size());
  const auto number = parse_unsigned(rest.substr(0, rest.find('\r')));
  return number ? static_cast<std::int64_t>(*number) : -1;
}

std::string answer_of(int status, const std::string& field = {}) {
  return "HTTP/1.1 " + std::to_string(status) + " Told\r\n" + field + "Content-Length: 0\r\n\r\n";
}

}  // namespace

BadCallbacks::BadCallbacks(int count, int feeds, std::uint32_t seed, Findings& findings)
    : feeds_(feeds),
      findings_(findings),
      random_(seed),
      subscribers_(static_cast<std::size_t>(count)),
      callbacks_(kHosts, [this](const test::Delivered& delivered) { return answer(delivered); }) {
  for (std::size_t i = 0; i < subscribers_.size(); ++i) subscribers_[i].leaves = i % 40 == 39;
}

std::string BadCallbacks::callback(int subscriber) const {
  return callbacks_.urls()[static_cast<std::size_t>(subscriber) % callbacks_.urls().size()] + "/" +
         std::to_string(subscriber);
}

int BadCallbacks::behind(const std::vector<std::int64_t>& heads) const {
  int count = 0;
  for (std::size_t i = 0; i < subscribers_.size(); ++i) {
    const Subscriber& subscriber = subscribers_[i];
    const std::int64_t head = heads[i % static_cast<std::size_t>(feeds_)];
    if (!subscriber.is_gone && subscriber.position < head) ++count;
  }
  return count;
}

test::CallbackAnswer BadCallbacks::answer(const test::Delivered& delivered) {
  const auto number = parse_unsigned(delivered.target.substr(1));
  if (!number || *number >= subscribers_.size()) return {.bytes = answer_of(404)};
  Subscriber& subscriber = subscribers_[*number];
  const std::int64_t previous = number_in(delivered.head, "\r\nFeed-Position-Previous: ");
  const std::int64_t upto = number_in(delivered.head, "\r\nFeed-Position: ");
  check(static_cast<int>(*number), delivered, previous, upto);
  if (fails_ && static_cast<int>(random_() % 100) < kFailing) {
    ++failed_;
    return failure(subscriber);
  }
  ++taken_;
  subscriber.position = std::max(subscriber.position.load(), upto);
  return {};
}

// Every position of the range is there, and the range begins no later than where the one before ended.
void BadCallbacks::check(int number, const test::Delivered& delivered, std::int64_t previous, std::int64_t upto) {
  const std::int64_t position = subscribers_[static_cast<std::size_t>(number)].position;
  const std::string what = "a delivery to " + std::to_string(number) + " of (" + std::to_string(previous) + ", " +
                           std::to_string(upto) + "]";
  if (previous < 0 || upto <= previous) findings_.add(what + " says no range");
  if (position >= 0 && previous > position) {
    findings_.add(what + " leaves a gap: it has taken everything up to " + std::to_string(position));
  }
  constexpr std::string_view kMark = "<c:log xmlns:c=\"urn:courant:log:1\" position=\"";
  std::int64_t expected = upto;
  for (std::size_t at = delivered.body.find(kMark); at != std::string_view::npos;
       at = delivered.body.find(kMark, at + 1)) {
    const std::string_view rest = delivered.body.substr(at + kMark.size());
    const auto found = parse_unsigned(rest.substr(0, rest.find('"')));
    if (!found || static_cast<std::int64_t>(*found) != expected--) {
      findings_.add(what + " is out of order before position " + std::to_string(expected + 1));
      return;
    }
  }
  if (expected != previous) findings_.add(what + " has nothing of position " + std::to_string(expected));
}

test::CallbackAnswer BadCallbacks::failure(Subscriber& subscriber) {
  using Then = test::CallbackAnswer::Then;
  if (subscriber.leaves && !subscriber.is_gone) {
    subscriber.is_gone = true;
    ++gone_;
  }
  if (subscriber.is_gone) return {.bytes = answer_of(410)};
  static const std::string kEndless =
      "HTTP/1.1 500 Told\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n" + std::string(0x10000, 'x');
  switch (random_() % 7) {
    case 0:
      return {.bytes = ""};  // hangs
    case 1:
      return {.bytes = "", .then = Then::kResets};
    case 2:
      return {.bytes = answer_of(500)};
    case 3:
      return {.bytes = answer_of(429, "Retry-After: 1\r\n")};
    case 4:
      return {.bytes = answer_of(302, "Location: http://127.0.1.1/\r\n")};
    case 5:
      return {.bytes = "HTTP/1.1 204 No"};  // slower than anybody would wait
    default:
      return {.bytes = kEndless};
  }
}

}  // namespace courant::chaos
