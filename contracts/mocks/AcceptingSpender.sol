// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITokenSpender} from "../interfaces/ITokenSpender.sol";

/// @title AcceptingSpender
/// @notice Accepts any approval and remembers the last.
contract AcceptingSpender is ITokenSpender {
    struct Approval {
        address sender;
        uint256 value;
        address token;
        bytes data;
    }

    Approval public last;

    function receiveApproval(
        address sender,
        uint256 value,
        address token,
        bytes calldata data
    ) external returns (bool) {
        last = Approval(sender, value, token, data);
        return true;
    }
}
