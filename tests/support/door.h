// For tests of what feeds ask of what is published to them: a server whose configuration names files that the test
// writes. Threads: one.
#pragma once

#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include "tests/support/courant_server.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test {

inline const char* const kAtomType = "Content-Type: application/atom+xml\r\n";

inline const char* const kEventRng = R"(<grammar xmlns="http://relaxng.org/ns/structure/1.0" ns="urn:example:event"
    datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes">
  <start><element name="event">
    <attribute name="tenant"><data type="positiveInteger"/></attribute>
    <zeroOrMore><element name="size"><data type="integer"/></element></zeroOrMore>
  </element></start>
</grammar>)";

inline const char* const kUsageXsd = R"(<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"
    targetNamespace="urn:example:usage" elementFormDefault="qualified">
  <xs:element name="usage"><xs:complexType><xs:sequence>
    <xs:element name="bytes" type="xs:nonNegativeInteger"/></xs:sequence></xs:complexType></xs:element>
</xs:schema>)";

// A stylesheet that copies the entry and does more where it matches.
inline std::string stylesheet(const std::string& in_entry, const std::string& more = {}) {
  return "<xsl:stylesheet version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform' "
         "xmlns='http://www.w3.org/2005/Atom' xmlns:a='http://www.w3.org/2005/Atom' xmlns:e='urn:example:event' "
         "exclude-result-prefixes='a e'><xsl:param name='workspace'/><xsl:param name='feed'/>"
         "<xsl:param name='identity'/><xsl:param name='time'/>"
         "<xsl:template match='@*|node()'><xsl:copy><xsl:apply-templates select='@*|node()'/></xsl:copy></xsl:template>"
         "<xsl:template match='/a:entry'><xsl:copy><xsl:apply-templates select='@*|node()'/>" +
         in_entry + "</xsl:copy></xsl:template>" + more + "</xsl:stylesheet>";
}

inline const std::string kTenant = "<category term='tid:{a:content/e:event/@tenant}'/>";

inline std::string entry(const std::string& id, const std::string& inside) {
  return "<entry xmlns='http://www.w3.org/2005/Atom'>" + (id.empty() ? "" : "<id>urn:x:" + id + "</id>") +
         "<title>t</title>" + inside + "</entry>";
}
inline std::string event(const std::string& id, const std::string& tenant = "7", const std::string& more = {}) {
  return entry(id, more + "<content type='application/xml'><event xmlns='urn:example:event' tenant='" + tenant +
                       "'/></content>");
}

class Door : public testing::Test {
 protected:
  void put(const std::string& name, const std::string& text) { std::ofstream(folder_ + "/" + name) << text; }

  // The configuration: a workspace in which feeds are made with these settings.
  void configure(const std::string& settings, const std::string& more = {}) {
    put("courant.toml", "[[workspaces]]\nname = \"demo\"\nauto_create = true\n" + settings + "\n" + more);
  }
  void serve(const std::string& settings, const std::string& more = {}, std::vector<std::string> flags = {}) {
    configure(settings, more);
    flags.insert(flags.begin(), {"--database", database_.url(), "--config", folder_ + "/courant.toml"});
    server_ = std::make_unique<CourantServer>(flags);
    client_ = std::make_unique<HttpClient>(server_->port());
  }
  Reply post(const std::string& body, const std::string& fields = kAtomType) {
    return client_->post("/demo/f", body, fields);
  }
  // Sends SIGHUP and waits for what is logged of it.
  void reload(const std::string& logged) {
    const std::size_t before = log().size();
    server_->process().signal(SIGHUP);
    ASSERT_TRUE(wait_until([&] { return log().find(logged, before) != std::string::npos; })) << log();
  }
  static std::string log() { return CourantServer::log(); }

  TestDatabase database_;
  const TemporaryFolder temporary_;
  const std::string folder_ = temporary_.path().string();
  std::unique_ptr<CourantServer> server_;
  std::unique_ptr<HttpClient> client_;
};

}  // namespace courant::test
