// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Invariants} from "./Invariants.sol";

/// @title What holds in a Hub over the chain's own currency
contract HubNativeInvariants is Invariants {
    function setUp() public {
        _handler = _makeHandler("HubNative", true);
    }
}
