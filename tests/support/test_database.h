// A fresh database for one test: a copy of a migrated template in the cluster that all tests share.
// Threads: one.
#pragma once

#include <string>

#include "sql/database.h"

namespace courant::test {

class TestDatabase {
 public:
  TestDatabase();   // migrated to this program's schema
  ~TestDatabase();  // dropped, whoever is still connected
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  static TestDatabase empty() { return TestDatabase(false); }

  const std::string& url() const { return url_; }
  sql::DatabaseOptions options() const;

 private:
  explicit TestDatabase(bool migrated);
  std::string name_;
  std::string url_;
};

// Of the cluster's own database "postgres"; starts the cluster where it does not run.
std::string cluster_url();

}  // namespace courant::test
