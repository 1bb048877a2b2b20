// Every translation of naga includes this header. The names that they use from it are in <metal_stdlib>.
#pragma once
