<?xml version="1.0" encoding="UTF-8"?>
<!-- Feed, entry and service documents as pages for people. Whatever publishers wrote is shown as text; only http and
     https addresses become links. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns:atom="http://www.w3.org/2005/Atom" xmlns:app="http://www.w3.org/2007/app"
                xmlns:c="urn:courant:log:1" xmlns:fh="http://purl.org/syndication/history/1.0"
                exclude-result-prefixes="atom app c fh">
  <xsl:output method="html" encoding="UTF-8" doctype-system="about:legacy-compat" indent="no"/>
  <xsl:param name="suffix"/>

  <xsl:template name="page">
    <xsl:param name="title"/>
    <xsl:param name="atom"/>
    <xsl:param name="subscribable" select="/.."/>
    <xsl:param name="body"/>
    <html lang="en">
      <head>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <title><xsl:value-of select="$title"/></title>
        <xsl:if test="$atom">
          <link rel="alternate" type="application/atom+xml" href="{$atom}"/>
        </xsl:if>
        <xsl:for-each select="$subscribable/atom:link[@rel='self' or @rel='hub']">
          <link rel="{@rel}" href="{@href}"/>
        </xsl:for-each>
        <style>
          :root { color-scheme: light dark; }
          body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
          h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin: 0; }
          article { border-top: 1px solid #8886; padding: 1rem 0; }
          .quiet { color: #777; font-size: .85rem; overflow-wrap: anywhere; }
          .tag { border: 1px solid #8886; border-radius: 1rem; padding: .1rem .6rem; margin-right: .3rem; font-size: .8rem; }
          pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #8881; padding: .8rem; border-radius: .4rem; }
          nav { margin: 1rem 0; } nav a { margin-right: 1rem; } li { margin: .3rem 0; }
        </style>
      </head>
      <body>
        <xsl:copy-of select="$body"/>
      </body>
    </html>
  </xsl:template>

  <xsl:template match="/app:service">
    <xsl:call-template name="page">
      <xsl:with-param name="title">Courant</xsl:with-param>
      <xsl:with-param name="body">
        <h1>Courant</h1>
        <p class="quiet">Event feeds of this server.</p>
        <xsl:for-each select="app:workspace">
          <h2><xsl:value-of select="atom:title"/></h2>
          <ul>
            <xsl:for-each select="app:collection">
              <li>
                <xsl:call-template name="own-link">
                  <xsl:with-param name="href" select="@href"/>
                  <xsl:with-param name="text" select="atom:title"/>
                </xsl:call-template>
                <xsl:text> </xsl:text>
                <span class="quiet"><xsl:value-of select="@href"/></span>
              </li>
            </xsl:for-each>
            <xsl:if test="not(app:collection)"><li class="quiet">no feeds yet</li></xsl:if>
          </ul>
        </xsl:for-each>
      </xsl:with-param>
    </xsl:call-template>
  </xsl:template>

  <xsl:template match="/atom:feed">
    <xsl:call-template name="page">
      <xsl:with-param name="title" select="atom:title"/>
      <xsl:with-param name="atom" select="atom:link[@rel='current']/@href | atom:link[@rel='self' and not(../atom:link[@rel='current'])]/@href"/>
      <xsl:with-param name="subscribable" select="self::node()[atom:link[@rel='hub']]"/>
      <xsl:with-param name="body">
        <h1><xsl:value-of select="atom:title"/></h1>
        <p class="quiet">
          <xsl:value-of select="count(atom:entry)"/> entries, newest first; updated <xsl:value-of select="atom:updated"/>
          <xsl:if test="fh:archive">; an archive page, which never changes</xsl:if>
        </p>
        <xsl:call-template name="navigation"/>
        <xsl:apply-templates select="atom:entry"/>
        <xsl:call-template name="navigation"/>
      </xsl:with-param>
    </xsl:call-template>
  </xsl:template>

  <xsl:template match="/atom:entry">
    <xsl:call-template name="page">
      <xsl:with-param name="title" select="atom:title"/>
      <xsl:with-param name="atom" select="atom:link[@rel='self'][last()]/@href"/>
      <xsl:with-param name="body"><xsl:call-template name="entry"/></xsl:with-param>
    </xsl:call-template>
  </xsl:template>

  <xsl:template match="atom:entry"><xsl:call-template name="entry"/></xsl:template>

  <xsl:template name="navigation">
    <nav>
      <xsl:for-each select="atom:link[@rel='current' or @rel='previous' or @rel='next' or @rel='last' or @rel='prev-archive' or @rel='next-archive']">
        <xsl:call-template name="own-link">
          <xsl:with-param name="href" select="@href"/>
          <xsl:with-param name="text">
            <xsl:choose>
              <xsl:when test="@rel='current'">newest</xsl:when>
              <xsl:when test="@rel='previous'">newer</xsl:when>
              <xsl:when test="@rel='next'">older</xsl:when>
              <xsl:when test="@rel='last'">oldest</xsl:when>
              <xsl:when test="@rel='prev-archive'">older archive page</xsl:when>
              <xsl:otherwise>newer archive page</xsl:otherwise>
            </xsl:choose>
          </xsl:with-param>
        </xsl:call-template>
      </xsl:for-each>
    </nav>
  </xsl:template>

  <xsl:template name="entry">
    <article>
      <h2>
        <xsl:call-template name="own-link">
          <xsl:with-param name="href" select="atom:link[@rel='self'][last()]/@href"/>
          <xsl:with-param name="text">
            <xsl:choose>
              <xsl:when test="normalize-space(atom:title)"><xsl:value-of select="atom:title"/></xsl:when>
              <xsl:otherwise>(no title)</xsl:otherwise>
            </xsl:choose>
          </xsl:with-param>
        </xsl:call-template>
      </h2>
      <p class="quiet">
        #<xsl:value-of select="c:log/@position"/> · <xsl:value-of select="atom:updated"/>
        <xsl:for-each select="atom:author/atom:name"> · <xsl:value-of select="."/></xsl:for-each>
        · <xsl:value-of select="atom:id"/>
      </p>
      <xsl:if test="atom:category">
        <p><xsl:for-each select="atom:category"><span class="tag"><xsl:value-of select="@term"/></span></xsl:for-each></p>
      </xsl:if>
      <xsl:if test="normalize-space(atom:summary)"><p><xsl:value-of select="atom:summary"/></p></xsl:if>
      <xsl:if test="starts-with(atom:content/@src, 'http://') or starts-with(atom:content/@src, 'https://')">
        <p>content <a rel="nofollow noreferrer" href="{atom:content/@src}"><xsl:value-of select="atom:content/@src"/></a>
          <span class="quiet"><xsl:text> </xsl:text><xsl:value-of select="atom:content/@type"/></span></p>
      </xsl:if>
      <xsl:if test="atom:content[not(@src)]">
        <pre><xsl:apply-templates select="atom:content/node()" mode="text"/></pre>
      </xsl:if>
      <xsl:for-each select="atom:link[not(@rel='self')]">
        <xsl:if test="starts-with(@href, 'http://') or starts-with(@href, 'https://')">
          <p class="quiet"><xsl:value-of select="@rel"/><xsl:text> </xsl:text>
            <a rel="nofollow noreferrer" href="{@href}"><xsl:value-of select="@href"/></a></p>
        </xsl:if>
      </xsl:for-each>
    </article>
  </xsl:template>

  <!-- Content: elements are shown as the text of their markup. -->
  <xsl:template match="*" mode="text">
    <xsl:text>&lt;</xsl:text><xsl:value-of select="name()"/>
    <xsl:for-each select="@*">
      <xsl:text> </xsl:text><xsl:value-of select="name()"/>="<xsl:value-of select="."/><xsl:text>"</xsl:text>
    </xsl:for-each>
    <xsl:choose>
      <xsl:when test="node()">
        <xsl:text>&gt;</xsl:text><xsl:apply-templates select="node()" mode="text"/>
        <xsl:text>&lt;/</xsl:text><xsl:value-of select="name()"/><xsl:text>&gt;</xsl:text>
      </xsl:when>
      <xsl:otherwise><xsl:text>/&gt;</xsl:text></xsl:otherwise>
    </xsl:choose>
  </xsl:template>
  <xsl:template match="text()" mode="text"><xsl:value-of select="."/></xsl:template>
  <xsl:template match="comment() | processing-instruction()" mode="text"/>

  <!-- A link to a page of ours. -->
  <xsl:template name="own-link">
    <xsl:param name="href"/>
    <xsl:param name="text"/>
    <xsl:choose>
      <xsl:when test="not(starts-with($href, 'http://') or starts-with($href, 'https://'))"><xsl:value-of select="$text"/></xsl:when>
      <xsl:when test="$suffix and contains($href, '?')"><a href="{$href}&amp;{$suffix}"><xsl:value-of select="$text"/></a></xsl:when>
      <xsl:when test="$suffix"><a href="{$href}?{$suffix}"><xsl:value-of select="$text"/></a></xsl:when>
      <xsl:otherwise><a href="{$href}"><xsl:value-of select="$text"/></a></xsl:otherwise>
    </xsl:choose>
  </xsl:template>
</xsl:stylesheet>
