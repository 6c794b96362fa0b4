// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title ReentrantToken
/// @notice A token whose transfers call back what it was prepared to, before anything moves, and keep how that ended.
contract ReentrantToken is ERC20 {
    address public victim;
    bytes public payload;
    bool public wasCalled;
    bool public succeeded;
    bytes public answer;

    constructor(address holder, uint256 supply) ERC20("Reentrant", "RE") {
        _mint(holder, supply);
    }

    function prepare(address victim_, bytes calldata payload_) external {
        victim = victim_;
        payload = payload_;
    }

    function approveAsToken(address spender, uint256 value) external {
        _approve(address(this), spender, value);
    }

    function _update(address from, address to, uint256 value) internal override {
        if (victim != address(0)) {
            address destination = victim;
            victim = address(0);
            wasCalled = true;
            (succeeded, answer) = destination.call(payload);
        }
        super._update(from, to, value);
    }
}
