#include "access/identity.h"

#include <algorithm>
#include <utility>

namespace courant::access {

Identity Identity::anonymous() {
  return {Kind::kAnonymous, "anonymous"};
}

Identity Identity::internal() {
  return {Kind::kInternal, "internal"};
}

Identity Identity::of_token(Grant grant) {
  Identity identity(Kind::kToken, "token:" + std::to_string(grant.number));
  identity.grant_ = std::move(grant);
  return identity;
}

Identity Identity::of_signed_page(SignedPage page) {
  Identity identity(Kind::kSignedPage, "signed:" + page.digest);
  identity.grant_.scopes = Scopes::only(Scope::kRead);
  identity.grant_.on = {
      *Pattern::parse("*")};  // whoever made it has judged that it is asked for the page that it names
  identity.grant_.filter = std::move(page.filter);
  identity.grant_.expires = page.expires;
  identity.key_ = std::move(page.key);
  return identity;
}

bool Identity::may(Scope scope, std::string_view workspace, std::string_view feed) const {
  return kind_ == Kind::kInternal || (grant_.scopes.has(scope) && knows(workspace, feed));
}

bool Identity::knows(std::string_view workspace, std::string_view feed) const {
  return kind_ == Kind::kInternal || std::any_of(grant_.on.begin(), grant_.on.end(), [&](const Pattern& pattern) {
           return pattern.matches(workspace, feed);
         });
}

bool Identity::knows(std::string_view workspace) const {
  return kind_ == Kind::kInternal || std::any_of(grant_.on.begin(), grant_.on.end(),
                                                 [&](const Pattern& pattern) { return pattern.touches(workspace); });
}

}  // namespace courant::access
