// 401: who asks has to say who he is, and how he can.
// Specification: RFC 9110 section 11.6.1, RFC 6750 section 3, RFC 7617.
// Threads: pure functions.
#pragma once

#include <string>

#include "access/scope.h"
#include "kernel/problem.h"

namespace courant::server {

// error: of RFC 6750, where there were credentials.
Problem unauthorized(std::string detail, const std::string& error = {});

// Nobody has said who he is.
Problem who_are_you();

// What was good when the request came is so no more.
Problem lost_credentials();

// 403: the token lacks a scope.
Problem insufficient_scope(access::Scope scope, const std::string& where);

}  // namespace courant::server
