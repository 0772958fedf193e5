#include "schema/door.h"

#include <gtest/gtest.h>

namespace courant::schema {
namespace {

std::string fault_of(const std::string& document) {
  const Result<Document> admitted = admit(document);
  return admitted ? "" : admitted.fault().detail;
}

std::string with_attributes(int count, const std::string& prefix) {
  std::string text = "<a";
  for (int i = 0; i < count; ++i) text += " " + prefix + "a" + std::to_string(i) + "='x'";
  return text + "/>";
}

// The parser compares each of them with all before it: a megabyte of them would take it half a minute.
TEST(Door, ATagWithTooManyAttributesIsRefusedBeforeItIsParsed) {
  EXPECT_EQ(fault_of(with_attributes(250, "")), "");
  EXPECT_EQ(fault_of(with_attributes(251, "")), "an element has more than 250 attributes");
  EXPECT_EQ(fault_of(with_attributes(500, "xmlns:")), "");
  const std::string fault = "an element has more than 500 attributes and declarations";
  EXPECT_EQ(fault_of(with_attributes(501, "xmlns:")), fault);
  EXPECT_EQ(fault_of(with_attributes(200'000, "")), fault);
  EXPECT_EQ(fault_of(with_attributes(100'000, "xmlns:")), fault);
  EXPECT_EQ(fault_of("<?p <a '?><!-- it's <b \" --><r>it's = <![CDATA[<c ']]>" + with_attributes(501, "") + "</r>"),
            fault);
  EXPECT_EQ(fault_of("<r a='>' b=\"'>\">" + with_attributes(501, "") + "</r>"), fault);
}

TEST(Door, WhatOnlyLooksLikeAttributesIsTaken) {
  std::string equals(600, '=');
  EXPECT_EQ(fault_of("<r a='" + equals + "' b=\"" + equals + "\">" + equals + "<!--" + equals + "--><![CDATA[<a " +
                     equals + "]]><?p " + equals + "?></r>"),
            "");
  EXPECT_EQ(fault_of("<r>don't<a b=\"'\"/>" + equals + "</r>"), "");
}

// It could hide as much in defaults of attributes.
TEST(Door, ADoctypeIsRefusedBeforeItIsParsed) {
  std::string list = "<!DOCTYPE a [<!ATTLIST a";
  for (int i = 0; i < 50'000; ++i) list += " a" + std::to_string(i) + " CDATA 'x'";
  EXPECT_EQ(fault_of("<?xml version='1.0'?>\n<!-- ' -->" + list + ">]><a/>"),
            "the document has a DOCTYPE, which is not taken");
  EXPECT_EQ(fault_of("<a><!-- <!DOCTYPE --><![CDATA[<!DOCTYPE a>]]></a>"), "");
}

TEST(Door, AnotherEncodingIsRefusedBeforeItIsParsed) {
  for (const std::string encoding : {"UTF-7", "ISO-8859-1", "UTF-16"}) {
    EXPECT_EQ(fault_of("<?xml version=\"1.0\" encoding='" + encoding + "'?><a/>"),
              "the document says that its encoding is " + encoding + ": only UTF-8 is taken");
  }
  for (const std::string start :
       {"<?xml version='1.0' encoding='utf-8'?>", "<?xml version='1.0' encoding=\"US-ASCII\"?>",
        "<?xml version='1.0'?>", "\xEF\xBB\xBF<?xml version='1.0' encoding='UTF-8'?>", ""}) {
    EXPECT_EQ(fault_of(start + "<a encoding='UTF-7'/>"), "") << start;
  }
}

TEST(Door, WhatIsNotWellFormedIsLeftToTheParser) {
  for (const std::string document :
       {"<", "<a", "<a b='", "<!--", "<![CDATA[", "<?", "<a b='<'/>", "a<b>", "<?xml encoding='"}) {
    EXPECT_EQ(fault_of(document).find("the document is not well-formed XML"), 0U)
        << document << ": " << fault_of(document);
  }
}

}  // namespace
}  // namespace courant::schema
