# Under other names, since a file may not define a name that is built in and use it as well.
native_cc_info = CcInfo
native_cc_common = cc_common
