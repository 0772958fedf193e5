<xsl:stylesheet version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform' xmlns:atom='http://www.w3.org/2005/Atom' xmlns:e='urn:example:event' xmlns:exsl='http://exslt.org/common' xmlns='http://www.w3.org/2005/Atom' exclude-result-prefixes='atom e exsl'>
<xsl:param name='feed'/><xsl:param name='time'/>
<xsl:template match='@*|node()'><xsl:copy><xsl:apply-templates select='@*|node()'/></xsl:copy></xsl:template>
<xsl:template match='atom:entry'><xsl:copy><xsl:apply-templates select='@*|node()'/>
<xsl:for-each select='atom:content/e:event'><category term='tid:{@tenant}'/></xsl:for-each>
<category term='{$feed}'/></xsl:copy></xsl:template>
</xsl:stylesheet>
