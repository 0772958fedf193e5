// A subscriber of the hub: a callback that says yes to whoever asks for its intent, and keeps what it is sent.
// Threads: any.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kernel/uri.h"
#include "tests/support/courant_server.h"
#include "tests/support/sink.h"

namespace courant::test {

class Subscriber {
 public:
  // answer: of deliveries; 204 unless given. before_yes: called with each verification, and may block.
  explicit Subscriber(Sink::Handler answer = nullptr, std::function<void()> before_yes = nullptr)
      : answer_(std::move(answer)),
        before_yes_(std::move(before_yes)),
        sink_([this](const SinkRequest& request) { return reply(request); }) {}

  std::string callback(const std::string& name = "cb") const { return sink_.url("/" + name); }
  Sink& sink() { return sink_; }

  // Asks the hub for a subscription; the status of the answer.
  int ask(const CourantServer& server, const std::string& mode, const std::string& topic, const std::string& more = {},
          const std::string& name = "cb") const {
    const std::string form = "hub.mode=" + mode + "&hub.topic=" + percent_encode(topic) +
                             "&hub.callback=" + percent_encode(callback(name)) + more;
    return HttpClient(server.port()).post("/hub", form, "Content-Type: application/x-www-form-urlencoded\r\n").status;
  }

  std::vector<SinkRequest> deliveries() const { return requests("POST"); }
  std::vector<SinkRequest> verifications() const { return requests("GET"); }

  // The positions of all entries that came, in the order of the documents, oldest first in each.
  std::vector<int> positions() const {
    std::vector<int> all;
    for (const SinkRequest& delivery : deliveries()) {
      const std::string marker = "<c:log xmlns:c=\"urn:courant:log:1\" position=\"";
      std::vector<int> found;
      for (std::size_t at = delivery.body.find(marker); at != std::string::npos;
           at = delivery.body.find(marker, at + 1)) {
        found.push_back(std::stoi(delivery.body.substr(at + marker.size())));
      }
      all.insert(all.end(), found.rbegin(), found.rend());
    }
    return all;
  }

  // Waits until something holds; false: it does not in kPatience.
  bool wait_until(const std::function<bool()>& holds) const { return sink_.wait_until(holds); }

 private:
  std::vector<SinkRequest> requests(const std::string& method) const {
    std::vector<SinkRequest> found;
    for (SinkRequest& request : sink_.requests()) {
      if (request.method == method) found.push_back(std::move(request));
    }
    return found;
  }

  SinkReply reply(const SinkRequest& request) {
    if (request.method == "POST") {
      if (request.header("Content-Type").value_or("").starts_with("application/atom+xml")) keep_emitted(request.body);
      return answer_ ? answer_(request) : SinkReply{.status = 204};
    }
    if (before_yes_) before_yes_();
    const std::size_t query = request.target.find('?');
    const std::optional<Parameters> parameters = parse_query(request.target.substr(query + 1));
    const std::string* const challenge = find_parameter(*parameters, "hub.challenge");
    return challenge == nullptr ? SinkReply{.status = 404} : SinkReply{.status = 200, .body = *challenge};
  }

  Sink::Handler answer_;
  std::function<void()> before_yes_;
  Sink sink_;
};

}  // namespace courant::test
