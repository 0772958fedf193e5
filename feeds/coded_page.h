// A page in memory in the content coding that a reader is to have it in.
// Specification: docs/decisions/0006-content-codings.md.
// Threads: any io thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "feeds/page_cache.h"
#include "http/coding.h"
#include "http/negotiate.h"

namespace courant::feeds {

struct CodedPage {
  PageCache::Page page;  // null: it is in memory neither in the best coding nor in the first
  bool is_best = true;   // false: the better form comes later, so this answer is not to be given again
};

// The key of a page in a coding, from its key as it is.
std::string coded_key(const std::string& key, http::Coding coding);

// What the reader likes best, of what is in memory. Where that is only the first, the best is made for those who come
// later: a page that is found has been asked for before.
CodedPage find_coded(PageCache& pages, const std::string& key, const http::CodingChoice& choice,
                     const std::shared_ptr<const LiveFeed>& feed,
                     const std::function<PageCache::Make(http::Coding)>& make_in);

}  // namespace courant::feeds
