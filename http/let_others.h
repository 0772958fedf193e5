// Threads: io threads.
#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/task.h"

namespace courant::http {

// Until what is ready on the coroutine's thread has had its turn: what they all lead to can then be done together.
inline Task<void> let_others_go_first() {
  return boost::asio::post(boost::asio::use_awaitable);
}

}  // namespace courant::http
