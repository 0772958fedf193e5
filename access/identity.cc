#include "access/identity.h"

#include <utility>

namespace courant::access {

Identity::Identity(std::string name) : name_(std::move(name)) {}
Identity Identity::anonymous() {
  return Identity("anonymous");
}
Identity Identity::internal() {
  return Identity("internal");
}

}  // namespace courant::access
