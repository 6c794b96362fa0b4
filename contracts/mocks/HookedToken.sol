// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title HookedToken
/// @notice A token that calls somebody whenever it moves, before or after it does.
contract HookedToken is ERC20 {
    event HookCalled(bool success);

    address public hook;
    bool public isBefore;

    constructor(address holder, uint256 supply) ERC20("Hooked", "HK") {
        _mint(holder, supply);
    }

    function setHook(address hook_, bool isBefore_) external {
        hook = hook_;
        isBefore = isBefore_;
    }

    function _update(address from, address to, uint256 value) internal override {
        if (isBefore) _callHook();
        super._update(from, to, value);
        if (!isBefore) _callHook();
    }

    function _callHook() private {
        if (hook == address(0)) return;
        (bool success, ) = hook.call("");
        emit HookCalled(success);
    }
}
