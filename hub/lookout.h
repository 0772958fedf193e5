// The lookout: finds out whom something new on a feed concerns. Subscriptions whose topics require a term are known by
// it. Those of them that have caught up share their shard's watch over the feed, a position up to which somebody has
// looked for all of them: what stands there is looked at once, and whom it does not concern it does not touch.
// Threads: the hub's loop.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "hub/loop.h"

namespace courant::hub {

class Lookout {
 public:
  // Called with those whom something new may concern, and who share no watch any more: each stands where it shared it.
  using Concern = std::function<void(const std::vector<Subscription*>&)>;

  Lookout(Loop& loop, Concern concern);

  // The subscription stays where it is until it is removed. If it says that it shares a watch then it goes on to, where
  // its shard has that watch, or none yet.
  void add(Subscription& subscription);
  void remove(Subscription& subscription);
  // Other processes watch for this shard from now on. Its subscriptions have been removed.
  void forget_shard(std::int64_t shard);

  // Gives those who have to look themselves, for they require no term; for the others somebody looks.
  std::vector<Subscription*> moved(const FeedName& name, std::int64_t position);
  // Of all subscriptions.
  std::vector<FeedName> feeds() const;

  // Where its feed stands, as far as is known.
  std::int64_t head_of(const Subscription& subscription) const { return head_of(feed_of(subscription)); }
  // Whether it has to look itself at what is new.
  bool is_behind(const Subscription& subscription) const;
  // Somebody looks from now on for a subscription that is not behind; false: nothing has changed, it requires no term
  // or shares a watch already.
  bool share(Subscription& subscription);
  // It shares no watch any more, and stands where it shared it; false: it shared none.
  bool leave(Subscription& subscription);

  // Feeds of which somebody waits to hear how far their subscriptions have come.
  void set_asked(std::set<FeedName> feeds) { asked_ = std::move(feeds); }

  // Where watches stand that are not saved there: all, or those over feeds that are asked about.
  std::vector<SavedWatch> unsaved(bool are_all) const;
  void set_saved(const std::vector<SavedWatch>& watches);

 private:
  struct Watch {
    std::int64_t number = 0;
    std::int64_t position = 0;
    std::int64_t saved = 0;  // this position is in the database; 0: none is
    std::int64_t sharers = 0;
  };
  struct Feed {
    FeedName name;
    std::int64_t head = 0;
    std::unordered_set<Subscription*> of_all;  // require no term
    std::unordered_map<std::string, std::unordered_set<Subscription*>> by_term;
    std::map<std::int64_t, Watch> watches;  // by shard; one that nobody shares stands still
    bool is_looking = false;
    Ticks looks_after{};  // not before
  };

  Feed& feed_of(const Subscription& subscription) const;
  std::int64_t head_of(const Feed& feed) const;
  std::optional<std::int64_t> next_look(const Feed& feed) const;
  http::Task<void> look(std::shared_ptr<Feed> feed);
  static void add_unsaved(const Feed& feed, std::vector<SavedWatch>& watches);
  void pass(Feed& feed, std::int64_t from, const NewTerms& found);

  Loop& loop_;
  const Concern concern_;
  std::map<FeedName, std::shared_ptr<Feed>> by_feed_;
  std::set<FeedName> asked_;
  Counter& looks_;
};

}  // namespace courant::hub
