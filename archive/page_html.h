// An archive page for people. Its address without ?format=html means one document, the same bytes for ever; this is
// what the program of the day makes of it. Specification: docs/API.md ("Archive pages"). Threads: io threads.
#pragma once

#include <memory>

#include "archive/pages.h"
#include "feeds/engine.h"
#include "http/message.h"
#include "http/task.h"

namespace courant::archive {

// Whether the query asks for it. Throws Problem 400 where it names a form that archive pages do not have.
bool wants_html_page(const http::Request& request);

// 200, 304, or 303 to the feed where the page is not complete. Throws Problem 410.
http::Task<http::Response> get_page_html(feeds::Engine& engine, const http::Request& request,
                                         std::shared_ptr<feeds::LiveFeed> feed, PageName name);

}  // namespace courant::archive
