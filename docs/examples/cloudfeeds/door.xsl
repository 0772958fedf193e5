<?xml version="1.0" encoding="UTF-8"?>
<!-- What Cloud Feeds' proxy did at the door: tenant, region, data centre, resource and type of an event become
     categories, by which readers filter and tokens are bound. Clients may not set them themselves (courant.toml,
     "reserved"). An event that ends before it begins is refused; an entry without a title gets one. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns="http://www.w3.org/2005/Atom"
                xmlns:atom="http://www.w3.org/2005/Atom" xmlns:e="http://docs.rackspace.com/core/event"
                xmlns:cadf="http://schemas.dmtf.org/cloud/audit/1.0/event"
                xmlns:ua="http://feeds.api.rackspacecloud.com/cadf/user-access-event"
                exclude-result-prefixes="atom e cadf ua">
  <xsl:param name="feed"/>
  <xsl:param name="time"/>

  <xsl:variable name="upper" select="'ABCDEFGHIJKLMNOPQRSTUVWXYZ'"/>
  <xsl:variable name="lower" select="'abcdefghijklmnopqrstuvwxyz'"/>

  <xsl:template match="/atom:entry">
    <xsl:variable name="event" select="atom:content/e:event"/>
    <xsl:if test="translate($event/@endTime, '-:TZ', '') &lt; translate($event/@startTime, '-:TZ', '')">
      <xsl:message terminate="yes">The event ends (<xsl:value-of select="$event/@endTime"/>) before it begins (<xsl:value-of select="$event/@startTime"/>)</xsl:message>
    </xsl:if>
    <xsl:copy>
      <!-- What is in it stays as it was sent. -->
      <xsl:copy-of select="@* | node()"/>
      <xsl:if test="not(atom:title)">
        <title><xsl:value-of select="($event/*/@serviceCode | atom:content/cadf:event/@action)[1]"/></title>
      </xsl:if>
      <xsl:apply-templates select="$event | atom:content/cadf:event" mode="categories"/>
    </xsl:copy>
  </xsl:template>

  <xsl:template match="e:event" mode="categories">
    <xsl:call-template name="category"><xsl:with-param name="prefix">tid</xsl:with-param><xsl:with-param name="value" select="@tenantId"/></xsl:call-template>
    <xsl:call-template name="category"><xsl:with-param name="prefix">rgn</xsl:with-param><xsl:with-param name="value" select="@region"/></xsl:call-template>
    <xsl:call-template name="category"><xsl:with-param name="prefix">dc</xsl:with-param><xsl:with-param name="value" select="@dataCenter"/></xsl:call-template>
    <xsl:call-template name="category"><xsl:with-param name="prefix">rid</xsl:with-param><xsl:with-param name="value" select="@resourceId"/></xsl:call-template>
    <!-- type:clouddatabase.mysql.usage -->
    <xsl:variable name="kind">
      <xsl:value-of select="*/@serviceCode"/>
      <xsl:for-each select="*/@resourceType"><xsl:value-of select="concat('.', .)"/></xsl:for-each>
      <xsl:value-of select="concat('.', @type)"/>
    </xsl:variable>
    <xsl:call-template name="category"><xsl:with-param name="prefix">type</xsl:with-param><xsl:with-param name="value" select="translate($kind, $upper, $lower)"/></xsl:call-template>
  </xsl:template>

  <xsl:template match="cadf:event" mode="categories">
    <xsl:variable name="data" select=".//ua:auditData"/>
    <xsl:call-template name="category"><xsl:with-param name="prefix">tid</xsl:with-param><xsl:with-param name="value" select="$data/ua:tenantId"/></xsl:call-template>
    <xsl:call-template name="category"><xsl:with-param name="prefix">rgn</xsl:with-param><xsl:with-param name="value" select="$data/ua:region"/></xsl:call-template>
    <xsl:call-template name="category"><xsl:with-param name="prefix">dc</xsl:with-param><xsl:with-param name="value" select="$data/ua:dataCenter"/></xsl:call-template>
    <xsl:call-template name="category"><xsl:with-param name="prefix">type</xsl:with-param><xsl:with-param name="value" select="concat('cadf.', translate(@eventType, $upper, $lower))"/></xsl:call-template>
  </xsl:template>

  <xsl:template name="category">
    <xsl:param name="prefix"/>
    <xsl:param name="value"/>
    <xsl:if test="normalize-space($value) != ''">
      <category term="{$prefix}:{normalize-space($value)}"/>
    </xsl:if>
  </xsl:template>
</xsl:stylesheet>
