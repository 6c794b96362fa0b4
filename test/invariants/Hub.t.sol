// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Invariants} from "./Invariants.sol";

/// @title What holds in a Hub over a token
contract HubInvariants is Invariants {
    function setUp() public {
        _handler = _makeHandler("Hub", false);
    }
}
