#include "feeds/last_modified.h"

#include "http/conditional.h"

namespace courant::feeds {

bool LastModified::is_known(const http::Request& request, Ticks now) const {
  return now >= settled_ && http::if_modified_since_matches(request, time_);
}

void LastModified::tell(http::Response& response, Ticks now) const {
  if (now >= settled_) response.with("Last-Modified", format_http_date(time_));
}

}  // namespace courant::feeds
