<?xml version="1.0" encoding="UTF-8"?>
<!-- Feed and entry documents. A part of page.xsl. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns:atom="http://www.w3.org/2005/Atom" xmlns:c="urn:courant:log:1"
                xmlns:fh="http://purl.org/syndication/history/1.0" xmlns:shown="urn:courant:shown:1"
                exclude-result-prefixes="atom c fh shown">
  <xsl:template match="atom:feed" mode="title"><xsl:value-of select="atom:title"/></xsl:template>

  <xsl:template match="atom:entry" mode="title"><xsl:call-template name="title-of-entry"/></xsl:template>

  <!-- How programs find the feed in its other forms (RSS Advisory Board and WHATWG, rel=alternate), and its hub (WebSub
       section 4): of a page that can be subscribed to, which says its own address. -->
  <xsl:template match="atom:feed" mode="head">
    <xsl:call-template name="discovery"><xsl:with-param name="title" select="atom:title"/></xsl:call-template>
    <xsl:if test="atom:link[@rel='hub'] and not(fh:archive)">
      <xsl:for-each select="atom:link[@rel='self' or @rel='hub']"><link rel="{@rel}" href="{@href}"/></xsl:for-each>
    </xsl:if>
    <xsl:for-each select="atom:link[@rel='next']"><link rel="next" href="{@href}"/></xsl:for-each>
    <xsl:if test="@shown:live">
      <script src="/-/live.js?v={$version}" integrity="{$integrity}" defer="defer"/>
    </xsl:if>
  </xsl:template>

  <xsl:template match="atom:entry" mode="head">
    <link rel="alternate" type="application/atom+xml" href="{atom:link[@rel='self'][last()]/@href}"/>
  </xsl:template>

  <xsl:template name="discovery">
    <xsl:param name="title"/>
    <link rel="alternate" type="application/atom+xml" title="{$title} (Atom)" href="{@shown:feed}"/>
    <link rel="alternate" type="application/feed+json" title="{$title} (JSON Feed)" href="{@shown:feed}?format=json"/>
    <link rel="alternate" type="application/rss+xml" title="{$title} (RSS)" href="{@shown:feed}?format=rss"/>
  </xsl:template>

  <xsl:template match="atom:feed | atom:entry" mode="place">
    <xsl:call-template name="place-of-feed">
      <xsl:with-param name="path" select="@shown:path"/>
      <xsl:with-param name="workspace" select="@shown:workspace"/>
      <xsl:with-param name="name" select="substring-after(substring(@shown:path, 2), '/')"/>
    </xsl:call-template>
  </xsl:template>

  <xsl:template match="atom:feed" mode="body">
    <h1><xsl:value-of select="atom:title"/></h1>
    <p class="quiet">
      <xsl:choose>
        <xsl:when test="fh:archive">An archive page, which never changes; its newest entry is of </xsl:when>
        <xsl:otherwise>Newest first, updated </xsl:otherwise>
      </xsl:choose>
      <span id="updated"><xsl:call-template name="time"><xsl:with-param name="of" select="atom:updated"/></xsl:call-template></span>
      <xsl:if test="@shown:live"><xsl:text> </xsl:text><span id="live" hidden="hidden">live</span></xsl:if>
    </p>
    <xsl:if test="@shown:search">
      <p class="filter">Only what matches <code><xsl:value-of select="@shown:search"/></code><xsl:text> </xsl:text>
        <xsl:call-template name="own-link">
          <xsl:with-param name="href" select="@shown:path"/>
          <xsl:with-param name="text">show everything</xsl:with-param>
        </xsl:call-template>
      </p>
    </xsl:if>
    <div id="page">
      <xsl:if test="@shown:live"><xsl:attribute name="data-live"><xsl:value-of select="@shown:live"/></xsl:attribute></xsl:if>
      <xsl:call-template name="pages"/>
      <xsl:if test="not(atom:entry)"><p>There are no entries here.</p></xsl:if>
      <xsl:for-each select="atom:entry"><xsl:call-template name="entry"/></xsl:for-each>
      <xsl:if test="atom:entry">
        <xsl:call-template name="pages"><xsl:with-param name="label">Pages, again</xsl:with-param></xsl:call-template>
      </xsl:if>
    </div>
    <p class="forms quiet">This feed as
      <a href="{@shown:feed}?format=atom" type="application/atom+xml">Atom</a>,
      <a href="{@shown:feed}?format=json" type="application/feed+json">JSON Feed</a>,
      <a href="{@shown:feed}?format=rss" type="application/rss+xml">RSS</a>
    </p>
  </xsl:template>

  <xsl:template match="atom:entry" mode="body">
    <xsl:call-template name="entry"><xsl:with-param name="is-alone" select="true()"/></xsl:call-template>
  </xsl:template>

  <xsl:template name="pages">
    <xsl:param name="label">Pages</xsl:param>
    <nav class="pages" aria-label="{$label}">
      <xsl:apply-templates select="atom:link[@rel='current' and not(../@shown:live)]" mode="pages"><xsl:with-param name="text">Newest</xsl:with-param></xsl:apply-templates>
      <xsl:apply-templates select="atom:link[@rel='next-archive']" mode="pages"><xsl:with-param name="text">Newer page</xsl:with-param></xsl:apply-templates>
      <xsl:apply-templates select="atom:link[@rel='previous' and not(../@shown:live)]" mode="pages"><xsl:with-param name="text">Newer</xsl:with-param></xsl:apply-templates>
      <xsl:apply-templates select="atom:link[@rel='next']" mode="pages"><xsl:with-param name="text">Older</xsl:with-param></xsl:apply-templates>
      <xsl:apply-templates select="atom:link[@rel='last']" mode="pages"><xsl:with-param name="text">Oldest</xsl:with-param></xsl:apply-templates>
      <xsl:if test="fh:archive">
        <xsl:apply-templates select="atom:link[@rel='prev-archive']" mode="pages"><xsl:with-param name="text">Older page</xsl:with-param></xsl:apply-templates>
      </xsl:if>
      <xsl:if test="$reach = 'whole'">
        <xsl:call-template name="own-link">
          <xsl:with-param name="href" select="concat(@shown:path, '/archive')"/>
          <xsl:with-param name="text">Archive</xsl:with-param>
        </xsl:call-template>
      </xsl:if>
    </nav>
  </xsl:template>

  <!-- Archive pages are pages for people only where that is asked for: their addresses mean one document for ever. -->
  <xsl:template match="atom:link" mode="pages">
    <xsl:param name="text"/>
    <xsl:choose>
      <xsl:when test="contains(@rel, '-archive')"><a href="{@href}?format=html"><xsl:value-of select="$text"/></a></xsl:when>
      <xsl:otherwise>
        <xsl:call-template name="own-link">
          <xsl:with-param name="href" select="@href"/>
          <xsl:with-param name="text" select="$text"/>
        </xsl:call-template>
      </xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template name="title-of-entry">
    <xsl:choose>
      <xsl:when test="string(atom:title/@shown:text)"><xsl:value-of select="atom:title/@shown:text"/></xsl:when>
      <xsl:otherwise>(no title)</xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template name="entry">
    <xsl:param name="is-alone" select="false()"/>
    <xsl:variable name="place" select="/*/@shown:path"/>
    <article id="e{c:log/@position}">
      <xsl:choose>
        <xsl:when test="$is-alone"><h1><xsl:call-template name="title-of-entry"/></h1></xsl:when>
        <xsl:otherwise>
          <h2>
            <xsl:call-template name="own-link">
              <xsl:with-param name="href" select="atom:link[@rel='self'][last()]/@href"/>
              <xsl:with-param name="text"><xsl:call-template name="title-of-entry"/></xsl:with-param>
            </xsl:call-template>
          </h2>
        </xsl:otherwise>
      </xsl:choose>
      <p class="quiet">
        <xsl:for-each select="atom:author/atom:name"><span class="author"><xsl:value-of select="."/></span><xsl:text> · </xsl:text></xsl:for-each>
        <xsl:call-template name="time"><xsl:with-param name="of" select="atom:updated"/></xsl:call-template>
        <xsl:text> · no. </xsl:text><xsl:value-of select="c:log/@position"/>
        <xsl:if test="$is-alone"> · <span class="address"><xsl:value-of select="atom:id"/></span></xsl:if>
      </p>
      <xsl:if test="atom:summary[string(@shown:html) or normalize-space(@shown:text)]">
        <xsl:for-each select="atom:summary"><xsl:call-template name="shown"/></xsl:for-each>
      </xsl:if>
      <xsl:for-each select="atom:content[not(@src)]"><xsl:call-template name="shown"/></xsl:for-each>
      <xsl:for-each select="atom:content[@shown:href]">
        <p>Content: <a rel="nofollow noopener noreferrer" href="{@shown:href}"><xsl:value-of select="@shown:href"/></a>
          <span class="quiet"><xsl:text> </xsl:text><xsl:value-of select="@type"/></span></p>
      </xsl:for-each>
      <xsl:variable name="self" select="atom:link[@rel='self'][last()]/@href"/>
      <xsl:for-each select="atom:link[@shown:href and not(@rel='self') and not(starts-with(@rel, 'edit')) and @href != $self]">
        <p class="quiet"><xsl:choose><xsl:when test="@rel"><xsl:value-of select="@rel"/></xsl:when><xsl:otherwise>alternate</xsl:otherwise></xsl:choose>
          <xsl:text>: </xsl:text>
          <a class="address" rel="nofollow noopener noreferrer" href="{@shown:href}">
            <xsl:choose><xsl:when test="normalize-space(@title)"><xsl:value-of select="@title"/></xsl:when><xsl:otherwise><xsl:value-of select="@shown:href"/></xsl:otherwise></xsl:choose>
          </a></p>
      </xsl:for-each>
      <xsl:if test="atom:category">
        <ul class="categories">
          <xsl:for-each select="atom:category">
            <li>
              <xsl:choose>
                <xsl:when test="@shown:query">
                  <xsl:call-template name="own-link">
                    <xsl:with-param name="href" select="concat($place, @shown:query)"/>
                    <xsl:with-param name="class">tag</xsl:with-param>
                    <xsl:with-param name="text"><xsl:call-template name="words-of-category"/></xsl:with-param>
                  </xsl:call-template>
                </xsl:when>
                <xsl:otherwise><span class="tag"><xsl:call-template name="words-of-category"/></span></xsl:otherwise>
              </xsl:choose>
            </li>
          </xsl:for-each>
        </ul>
      </xsl:if>
    </article>
  </xsl:template>

  <xsl:template name="words-of-category">
    <xsl:choose>
      <xsl:when test="normalize-space(@label)"><xsl:value-of select="@label"/></xsl:when>
      <xsl:otherwise><xsl:value-of select="@term"/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <!-- The only place where markup is written that this stylesheet has not made: xslt/sanitiser.h has. -->
  <xsl:template name="shown">
    <xsl:choose>
      <xsl:when test="@shown:html"><div class="content"><xsl:value-of select="@shown:html" disable-output-escaping="yes"/></div></xsl:when>
      <xsl:when test="not(normalize-space(@shown:text))"/>
      <xsl:when test="@shown:kind = 'code'"><pre class="content code"><xsl:value-of select="@shown:text"/></pre></xsl:when>
      <xsl:otherwise><p class="content text"><xsl:value-of select="@shown:text"/></p></xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template name="time">
    <xsl:param name="of"/>
    <xsl:choose>
      <xsl:when test="$of/@shown:time"><time datetime="{normalize-space($of)}"><xsl:value-of select="$of/@shown:time"/></time></xsl:when>
      <xsl:otherwise><xsl:value-of select="$of"/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>
</xsl:stylesheet>
