<xsl:stylesheet version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform' xmlns:atom='http://www.w3.org/2005/Atom' xmlns:e='urn:example:event' xmlns:exsl='http://exslt.org/common' xmlns='http://www.w3.org/2005/Atom' exclude-result-prefixes='atom e exsl'>
<xsl:output method='text'/><xsl:decimal-format name='d' decimal-separator=',' grouping-separator='.'/>
<xsl:template match='/'><xsl:for-each select='//*'><xsl:sort select='name()' order='descending'/><xsl:value-of select="concat(format-number(position(), '#.##0,00', 'd'), translate(substring-after(., 'u'), ':', '-'))"/></xsl:for-each></xsl:template>
</xsl:stylesheet>
