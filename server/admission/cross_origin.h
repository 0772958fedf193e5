// Stands before the gate: lets web pages of the origins that a workspace lists read what the workspace gives their
// users anyway. Whoever may not know whether a workspace exists learns nothing from it: to him a private workspace and
// one that does not exist answer alike, with what holds for all private ones together. Preflights come without
// credentials, so to them everybody is such a one. Specification: the Fetch standard, "CORS protocol"; docs/SECURITY.md
// ("Web pages of other origins"). Threads: io threads, without locks and without memory of their own where no workspace
// lists an origin.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "access/rules.h"
#include "feeds/settings.h"
#include "http/cors.h"
#include "http/handler.h"
#include "kernel/replaceable.h"

namespace courant::server {

// What the settings of all workspaces say of pages. A value.
struct ReadingOrigins {
  std::map<std::string, http::Origins, std::less<>> by_workspace;  // those that list any
  http::Origins of_private;                                        // of those that not everybody may know of
  std::uint64_t revision = 0;                                      // of the process; another one with each change

  static ReadingOrigins of(const std::map<std::string, feeds::WorkspaceSettings, std::less<>>& workspaces);
};

class CurrentOrigins {
 public:
  const ReadingOrigins& operator*() const { return *current_; }
  // From one thread.
  void change(ReadingOrigins origins);

 private:
  Replaceable<ReadingOrigins> current_{ReadingOrigins{}};
};

class CrossOrigin final : public http::Handler {
 public:
  // All must outlive it.
  CrossOrigin(http::Handler& inner, const CurrentOrigins& origins, const access::CurrentRules& rules);

  std::uint64_t admit(http::Request& request) override;
  std::string_view route_of(const http::Request& request) const override { return inner_.route_of(request); }
  std::optional<http::Response> answer_at_once(const http::Request& request) override;
  http::Task<http::Response> answer(const http::Request& request) override { return inner_.answer(request); }
  http::Response finished(http::Response response, const http::Request& request) override {
    return inner_.finished(std::move(response), request);
  }
  std::uint64_t revision() const override { return (*origins_).revision; }
  void stamp(http::Response& response, const http::Request& request) const override;

 private:
  // What one who asks is told of pages.
  struct View {
    const http::Origins* origins = nullptr;  // null: nothing
    bool is_of_workspace = true;             // false: it is what all that he may not know of have in common
  };
  View view_of(const http::Request& request, const access::Identity& asker) const;
  bool is_let_ask(const http::Request& request) const;

  http::Handler& inner_;
  const CurrentOrigins& origins_;
  const access::CurrentRules& rules_;
  const access::Identity nobody_ = access::Identity::anonymous();
};

}  // namespace courant::server
