// Where the hub meets the feeds: every page of a feed that a reader could poll at the head is a topic under its URL.
// Threads: see hub/seam.h.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "access/rules.h"
#include "feeds/directory.h"
#include "feeds/further_forms.h"
#include "feeds/writer.h"
#include "hub/seam.h"
#include "kernel/uri.h"

namespace courant::server {

class FeedTopics final : public hub::TopicSource {
 public:
  // How many subscriptions the feeds of a workspace may have; 0: any number.
  using MostSubscriptions = std::function<std::int64_t(std::string_view workspace)>;

  // All must outlive this. hub_url: what pushed documents name as their hub.
  // rules: null: everybody may have everything. most: null: any number of subscriptions. forms: null:
  // no feed has further ones.
  FeedTopics(feeds::Directory& directory, const Clock& clock, const std::string& public_url, std::string hub_url,
             const access::CurrentRules* rules = nullptr, MostSubscriptions most = nullptr,
             feeds::FurtherForms* forms = nullptr);

  // Whether a URL lies below public_url: it is a topic of a feed, or none.
  bool is_local(const std::string& url) const { return local_part(url).has_value(); }

  std::optional<hub::Topic> find(sql::Session& session, const std::string& url) override;
  void require_access(const std::string& url, const std::string& identity) override;
  hub::Topic bound_topic(sql::Session& session, const hub::Topic& topic, const std::string& identity) override;
  bool still_allows(const hub::Topic& topic, const std::string& identity) override;
  std::uint64_t access_revision() override { return rules_ == nullptr ? 0 : rules_->revision(); }
  hub::Quota quota(const hub::Topic& topic) override;
  std::int64_t subscriptions_within(sql::Session& session, const hub::Topic& topic) override;
  std::int64_t position(sql::Session& session, const hub::Topic& topic) override;
  std::int64_t known_position(std::int64_t lane, std::int64_t feed) override;
  std::int64_t known_generation(std::int64_t lane, std::int64_t feed) override;
  std::vector<std::string> required_terms(const hub::Topic& topic) override;
  hub::NewTerms new_terms(sql::Session& session, std::int64_t lane, std::int64_t feed, std::int64_t from) override;
  std::optional<hub::PushDocument> read(sql::Session& session, const hub::Topic& topic, const std::string& self,
                                        std::int64_t from, std::int64_t upto, const hub::PushLimits& limits) override;
  std::vector<std::optional<Instant>> first_after(sql::Session& session,
                                                  const std::vector<hub::LogPlace>& places) override;

 private:
  // Of an absolute URL the part behind public_url; nullopt: it lies elsewhere.
  std::optional<std::string> local_part(const std::string& url) const;

  feeds::Directory& directory_;
  const Clock& clock_;
  const std::string public_url_;
  const Uri public_parts_;
  const std::string hub_url_;
  const access::CurrentRules* const rules_;
  const MostSubscriptions most_;
  feeds::FurtherForms* const forms_;
};

// The wake-ups that tell the hub of what has moved by a commit.
std::vector<hub::Moved> moves_of(const std::vector<feeds::Advance>& advances);

}  // namespace courant::server
