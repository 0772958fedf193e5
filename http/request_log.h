// Requests in the program's log: those that failed (5xx but 501 and 505), those that took long, and, where they are
// asked for, all. A line has the id, method, path without query, route, status, milliseconds, bytes, client, and of a
// request that belongs to a trace its trace-id; never another header's value, and no path that holds a token. Threads:
// io threads.
#pragma once

#include <string>
#include <string_view>

#include "http/exchange.h"
#include "http/message.h"
#include "http/server.h"

namespace courant::http {

// A path as logs have it. What stands below `secret_below` is a capability, whatever became of the request: who
// mistypes such a URL, or comes by a wrong host, has it all the same. However it is encoded, and wherever in the path
// it stands. secret_below: in lower case; empty: there are none.
std::string path_for_log(std::string_view path, std::string_view secret_below);

// Logs the answer where the options say so; gives one that failed the header field X-Request-Id.
void log_answer(const ServerOptions& options, const Request& request, const Answered& answered, Response& response);

}  // namespace courant::http
