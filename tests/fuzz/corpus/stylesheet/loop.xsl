<xsl:stylesheet version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform' xmlns:atom='http://www.w3.org/2005/Atom' xmlns:e='urn:example:event' xmlns:exsl='http://exslt.org/common' xmlns='http://www.w3.org/2005/Atom' exclude-result-prefixes='atom e exsl'>
<xsl:template match='/' name='t'><xsl:param name='n' select='0'/><xsl:variable name='v'><a><xsl:number value='$n' format='I.1'/></a></xsl:variable>
<xsl:copy-of select='exsl:node-set($v)'/><xsl:call-template name='t'><xsl:with-param name='n' select='$n + 1'/></xsl:call-template></xsl:template>
</xsl:stylesheet>
