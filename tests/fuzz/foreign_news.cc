// Whatever another server's topic holds: refused, or known from then on; and what is pushed of it is itself such a
// document, which holds nothing that its subscribers would not know by then.
#include "hub/foreign_news.h"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using courant::hub::news_of;

void try_as(const std::string& body, const std::string& content_type) {
  const auto first = news_of(body, content_type, std::nullopt);
  if (!first) return;
  if (first->entries != 0) std::abort();
  const auto again = news_of(body, content_type, first->known);
  if (!again || again->entries != 0) std::abort();
  const auto all = news_of(body, content_type, std::string());
  if (!all || all->known != first->known) std::abort();
  if (all->entries == 0) return;
  const auto pushed = news_of(all->body, all->content_type, first->known);
  if (!pushed || pushed->entries != 0 || pushed->known != first->known) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string body(reinterpret_cast<const char*>(data), size);
  try_as(body, "application/xml");
  try_as(body, "application/json");
  return 0;
}
