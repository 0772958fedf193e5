// Task<T>: a coroutine on an io thread. It never blocks; what needs the database awaits the executor (sql/executor.h).
// g++ 12 miscompiles some temporaries in coroutines: await into a named variable, never inside a condition, an
// argument list or an initialiser list; take coroutine parameters by value, or say who keeps them alive.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace courant::http {

template <class T>
using Task = boost::asio::awaitable<T>;

// For asio's operations: errors are part of what is awaited, not thrown.
inline constexpr auto kToken = boost::asio::as_tuple(boost::asio::use_awaitable);

}  // namespace courant::http
