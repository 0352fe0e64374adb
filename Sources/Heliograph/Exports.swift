@_exported public import HelioHTTP
@_exported public import HelioReactor
