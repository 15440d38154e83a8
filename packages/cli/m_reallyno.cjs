require("/tmp/fst/p_noopt.cjs");
require("/work/fs-start/packages/cli/dist/m_really.js");
