#include "server/topic_url.h"

#include "feeds/settings.h"
#include "kernel/problem.h"
#include "kernel/text.h"

namespace courant::server {

std::optional<TopicUrl> parse_topic_url(std::string_view text) {
  const std::size_t mark = text.find('?');
  std::string_view path = text.substr(0, mark);
  if (path.ends_with('/')) path.remove_suffix(1);
  const std::vector<std::string_view> pieces = split(path, '/');
  if (pieces.size() < 3 || !pieces[0].empty()) return std::nullopt;
  std::optional<std::string> workspace = percent_decode(pieces[1]);
  std::optional<std::string> feed = percent_decode(pieces[2]);
  if (!workspace || !feed || !feeds::is_valid_name(*workspace) || !feeds::is_valid_name(*feed)) return std::nullopt;
  if (pieces.size() > 3 && pieces[3] == "archive") {
    throw Problem(403, "An archive page is no topic: it never changes. Subscribe to the feed itself");
  }
  if (pieces.size() > 3) return std::nullopt;
  std::optional<Parameters> parameters =
      parse_query(mark == std::string_view::npos ? std::string_view() : text.substr(mark + 1));
  if (!parameters) return std::nullopt;
  return TopicUrl{*std::move(workspace), *std::move(feed), *std::move(parameters)};
}

std::string canonical_topic(const TopicUrl& url, const feeds::PushView& view) {
  return "/" + url.workspace + "/" + url.feed + view.canonical;
}

}  // namespace courant::server
