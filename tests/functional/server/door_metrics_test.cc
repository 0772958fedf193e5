// What is counted of the door: refusals by their reason, how long schemas and stylesheets take, further forms.
#include <gtest/gtest.h>

#include "tests/support/door.h"
#include "tests/support/metric.h"

namespace courant::test::door_metrics_test {
namespace {

class DoorMetricsTest : public Door {
 protected:
  void serve_counting(const std::string& settings, const std::string& more = {}) {
    serve(settings, more, {"--operations", "127.0.0.1:" + std::to_string(operations_)});
  }
  double metric(const std::string& name) const { return metric_at(operations_, name); }
  double refused(const std::string& reason) const {
    return metric("courant_door_refused_total{reason=\"" + reason + "\"}");
  }
  double took(const std::string& step) const { return metric("courant_door_seconds_count{step=\"" + step + "\"}"); }
  double failures(const std::string& of, const std::string& why) const {
    return metric("courant_stylesheet_failures_total{of=\"" + of + "\",why=\"" + why + "\"}");
  }

 private:
  const int operations_ = free_port();
};

TEST_F(DoorMetricsTest, AFeedThatAsksForNothingRefusesWhatIsNoEntry) {
  serve_counting("");
  EXPECT_EQ(post(event("1")).status, 201);
  EXPECT_EQ(post("<entry").status, 422);
  EXPECT_EQ(post("<!DOCTYPE entry><entry xmlns='http://www.w3.org/2005/Atom'/>").status, 422);
  EXPECT_EQ(post(entry("2", "<title>again</title>")).status, 422);
  EXPECT_EQ(post("{}", "Content-Type: application/cloudevents+json\r\n").status, 422);
  EXPECT_EQ(post("<feed xmlns='http://www.w3.org/2005/Atom'>" + event("3") + entry("4", "<title/>") +
                 entry("5", "<title/>") + "</feed>")
                .status,
            422);
  EXPECT_EQ(refused("xml"), 2);
  EXPECT_EQ(refused("atom"), 3) << "of a batch each that is wrong";
  EXPECT_EQ(refused("event"), 1);
  for (const std::string step : {"schema", "assertions", "stylesheet"}) EXPECT_EQ(took(step), 0) << step;
}

TEST_F(DoorMetricsTest, WhatAFeedAsksForRefusesUnderItsOwnName) {
  put("event.rng", kEventRng);
  put("door.xsl",
      stylesheet("<xsl:if test='a:content/e:event/@tenant = 13'><xsl:message terminate='yes'>no</xsl:message></xsl:if>"
                 "<xsl:if test='a:content/e:event/@tenant = 14'><title>a second one</title></xsl:if>"
                 "<xsl:if test='a:content/e:event/@tenant = 15'><xsl:call-template name='endless'/></xsl:if>"
                 "<xsl:if test='a:content/e:event/@tenant = 16'>"
                 "<xsl:copy-of select=\"document('/etc/passwd')\"/></xsl:if>",
                 "<xsl:template name='endless'><xsl:call-template name='endless'/></xsl:template>"));
  serve_counting("schema = [\"event.rng\"]\nstylesheet = \"door.xsl\"\nreserved = [\"tid:\"]",
                 "[[workspaces.assert]]\nxpath = \"not(atom:content/*/@tenant = 12)\"\nmessage = \"not 12\"");
  EXPECT_EQ(post(event("1")).status, 201);
  EXPECT_EQ(took("schema"), 2) << "as it was sent, and as it is stored";
  EXPECT_EQ(took("assertions"), 2);
  EXPECT_EQ(took("stylesheet"), 1);
  EXPECT_EQ(post(event("2", "nobody")).status, 422);
  EXPECT_EQ(refused("grammar"), 1);
  EXPECT_EQ(took("assertions"), 2) << "nothing more is judged of what a schema refuses";
  EXPECT_EQ(post(event("2", "12")).status, 422);
  EXPECT_EQ(refused("assertion"), 1);
  EXPECT_EQ(post(event("2", "7", "<category term='tid:1'/>")).status, 422);
  EXPECT_EQ(refused("category"), 1);
  EXPECT_EQ(post(event("2", "13")).status, 422);
  EXPECT_EQ(refused("stylesheet"), 1);
  EXPECT_EQ(post(event("2", "14")).status, 422);
  EXPECT_EQ(refused("result"), 1);
  EXPECT_EQ(post(event("2", "15")).status, 500);
  EXPECT_EQ(refused("bound"), 1);
  EXPECT_EQ(failures("door", "stopped"), 1);
  EXPECT_EQ(post(event("2", "16")).status, 500);
  EXPECT_EQ(refused("failure"), 1);
  EXPECT_EQ(failures("door", "broken"), 1);
  EXPECT_EQ(refused("atom"), 0);
  EXPECT_EQ(refused("xml"), 0);
}

TEST_F(DoorMetricsTest, FurtherFormsAreCountedWhereTheyAreMade) {
  const std::string begin = "<xsl:stylesheet version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform'>";
  put("text.xsl", begin + "<xsl:output method='text'/></xsl:stylesheet>");
  put("loop.xsl", begin + "<xsl:template match='/'><xsl:apply-templates select='/'/></xsl:template></xsl:stylesheet>");
  serve_counting("", R"([[workspaces.representation]]
name = "text"
media_type = "text/x-text"
stylesheet = "text.xsl"
[[workspaces.representation]]
name = "loop"
media_type = "text/x-loop"
stylesheet = "loop.xsl"
)");
  EXPECT_EQ(post(event("1")).status, 201);
  EXPECT_EQ(metric("courant_form_seconds_count"), 0);
  EXPECT_EQ(client_->get("/demo/f?format=text").status, 200);
  EXPECT_EQ(metric("courant_form_seconds_count"), 1);
  EXPECT_EQ(client_->get("/demo/f?format=loop").status, 500);
  EXPECT_EQ(metric("courant_form_seconds_count"), 2);
  EXPECT_EQ(failures("form", "stopped"), 1);
  EXPECT_EQ(failures("door", "stopped"), 0);
}

}  // namespace
}  // namespace courant::test::door_metrics_test
