#include "feeds/coded_page.h"

namespace courant::feeds {

std::string coded_key(const std::string& key, http::Coding coding) {
  // In front, where no key begins with a letter: what a key ends with is a client's text.
  return coding == http::Coding::kIdentity ? key : std::string(http::coding_name(coding)) + "\n" + key;
}

CodedPage find_coded(PageCache& pages, const std::string& key, const http::CodingChoice& choice,
                     const std::shared_ptr<const LiveFeed>& feed,
                     const std::function<PageCache::Make(http::Coding)>& make_in) {
  const std::string best_key = coded_key(key, choice.best);
  if (PageCache::Page best = pages.find(best_key, *feed)) return {std::move(best), true};
  if (choice.first == choice.best) return {};
  PageCache::Page first = pages.find(coded_key(key, choice.first), *feed);
  if (first) pages.make_for_later(best_key, feed, make_in(choice.best));
  return {std::move(first), false};
}

}  // namespace courant::feeds
