#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

namespace courant::schema {
namespace {

// Whether our grammar of Atom (schema/grammars/atom.rnc) takes a document; jing is the judge.
bool is_valid(const std::string& document) {
  const std::string path = COURANT_BINARY_DIR "/grammar-test.xml";
  std::ofstream(path) << document;
  const std::string command =
      "jing -c " COURANT_SOURCE_DIR "/schema/grammars/atom.rnc " + path + " >" + path + ".log 2>&1";
  return std::system(command.c_str()) == 0;
}

std::string entry(const std::string& inside) {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:1</id><title>t</title>"
         "<updated>2026-01-01T00:00:00Z</updated><author><name>n</name></author>" +
         inside + "</entry>";
}

TEST(Grammar, TakesWhatRfc4287Allows) {
  EXPECT_TRUE(is_valid(entry("<content>c</content>")));
  EXPECT_TRUE(is_valid(entry("<content type='application/xml'><a xmlns='urn:a' b='1'>x<c/></a></content>")));
  EXPECT_TRUE(is_valid(entry("<link href='http://x.example/'/><x xmlns='urn:other'>y</x>")));
  EXPECT_TRUE(is_valid(entry("<summary>s</summary><content type='image/png'>aGVsbG8=</content>")));
}

TEST(Grammar, RefusesWhatRfc4287Forbids) {
  // 4.1.2: "atom:entry elements MUST contain exactly one atom:id element" ...
  EXPECT_FALSE(is_valid(entry("<content>c</content><id>urn:x:2</id>")));
  // ... "that contain no child atom:content element MUST contain at least one atom:link element with a rel attribute
  // value of "alternate"".
  EXPECT_FALSE(is_valid(entry("<summary>s</summary>")));
  EXPECT_FALSE(is_valid(entry("<content>c</content><published>yesterday</published>")));
  EXPECT_FALSE(is_valid(entry("<content>c</content><published>2026-02-30T00:00:00Z</published>")));
  EXPECT_FALSE(is_valid(entry("<content>c</content><unknown/>")));
  EXPECT_FALSE(is_valid(entry("<content type='xhtml'>no div</content>")));
  EXPECT_FALSE(is_valid(entry("<content type='image/png'>aGVsbG8=</content>"))) << "4.1.2: a summary is missing";
  EXPECT_FALSE(
      is_valid("<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:1</id><title>t</title>"
               "<updated>2026-01-01T00:00:00Z</updated><content>c</content></entry>"))
      << "4.1.2: nobody is the author";
}

}  // namespace
}  // namespace courant::schema
