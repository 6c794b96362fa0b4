// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

/// @title Delegation: how one contract passes on what another answered in its place
abstract contract Delegation {
    /// @dev Ends the call.
    function _passOn(bool success, bytes memory answer) internal pure {
        assembly ("memory-safe") {
            switch success
            case 0 {
                revert(add(answer, 32), mload(answer))
            }
            default {
                return(add(answer, 32), mload(answer))
            }
        }
    }
}
